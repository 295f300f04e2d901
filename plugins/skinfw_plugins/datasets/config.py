"""Configurations of the data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import DatasetConfig
from skinfw.components.outside import SpecPath, SpecPlace
from skinfw.components.reference import ComponentSpec, Slot, use_default
from skinfw.components.relocate import relocated
from skinfw.components.variables import STORED
from skinfw.licenses.terms import Terms
from skinfw.preparation.config import NEAR_DUPLICATE, PrepareConfig


class FolderConfig(DatasetConfig):
    """Where sample folders are."""

    root: SpecPath = Field(
        description=(
            "folder that holds one folder per person at any depth, or a glob of such folders, for example "
            "data/*/full_body"
        )
    )
    duplicate_distance: int = Field(
        default=NEAR_DUPLICATE,
        ge=0,
        le=16,
        description=(
            "bits of 64 by which the perceptual hashes of two prepared photos may differ for the split to "
            "keep them together"
        ),
    )

    def elsewhere(self, root: Path) -> Self:
        """Return the configuration for samples in another place. See `DatasetConfig.elsewhere`."""
        return relocated(self, self.root, root)


class ShardsConfig(DatasetConfig):
    """Where the shards are."""

    root: SpecPlace = Field(
        description=(
            "folder that skinfw pack wrote, or the address of a copy that fsspec can read, for example "
            "s3://bucket/shards or https://host/shards"
        )
    )

    def elsewhere(self, root: Path) -> Self:
        """Return the configuration for shards in another place. See `DatasetConfig.elsewhere`."""
        return type(self).model_validate({"root": root}, context={STORED: True})


class MannequinsConfig(DatasetConfig):
    """How many people to draw."""

    terms = Terms("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", note="drawn by skinfw's code")

    count: int = Field(default=1000, ge=1, le=1_000_000, description="number of samples")
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of the drawn people")


class PhotosConfig(DatasetConfig):
    """Photos that are prepared into a cache before training."""

    root: SpecPath = Field(
        description=(
            "folder that holds the photos at any depth, a .zip or .tar of one, or a list of paths or URLs "
            "(.csv, .tsv, .jsonl, .txt)"
        )
    )
    segmenter: Annotated[ComponentSpec, Slot("segmenter")] = Field(
        default_factory=lambda: use_default("segmenter"),
        description="finds skin, head, feet, apparel and background",
    )
    pose_encoder: Annotated[ComponentSpec, Slot("pose_encoder")] | None = Field(
        default_factory=lambda: use_default("pose_encoder"),
        description="finds the pose; null: samples without poses, for inputs that need none",
    )
    missing_label_maps: Annotated[ComponentSpec, Slot("segmenter")] | None = Field(
        default=None,
        description="the segmenter of photos without the label map that segmenter reads; null: they are "
        "rejected",
    )
    missing_poses: Annotated[ComponentSpec, Slot("pose_encoder")] | None = Field(
        default=None,
        description="the pose encoder of photos without the file that pose_encoder reads; null: they are "
        "rejected",
    )
    prepare: PrepareConfig = Field(
        default_factory=PrepareConfig, description="margin, crop and filters of the preparation"
    )
    cache: SpecPath | None = Field(
        default=None,
        description=(
            "folder for the prepared samples; null: one named after these settings under SKINFW_CACHE or, "
            "if that is not set, in the user's cache folder"
        ),
    )

    @model_validator(mode="after")
    def _files_may_be_missing(self) -> Self:
        for field, reader, other in (
            ("missing_label_maps", self.segmenter, self.missing_label_maps),
            ("missing_poses", self.pose_encoder, self.missing_poses),
        ):
            if other is None or (reader is not None and reader.config.reads_files()):
                continue
            why = "samples get no poses, as pose_encoder is null"
            if reader is not None:
                why = f"the {reader.kind.replace('_', ' ')} {reader.name} needs no files"
            raise PydanticCustomError("nothing_missing", f"{field} has no effect: {why}; leave out {field}")
        return self

    def elsewhere(self, root: Path) -> Self:
        """Return the configuration for photos in another place. See `DatasetConfig.elsewhere`."""
        return relocated(self, self.root, root, cache=None)
