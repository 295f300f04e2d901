"""Configurations of published data sets in their original folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from skinfw.components.config import DatasetConfig
from skinfw.components.outside import SpecPath
from skinfw.components.reference import ComponentSpec, Slot
from skinfw.components.relocate import relocated
from skinfw.licenses.terms import Terms
from skinfw.preparation.config import PrepareConfig

Side = Annotated[int, Field(ge=1, le=1_000_000)]
Split = Literal["train", "test", "all"]
Category = Literal["dresses", "lower_body", "upper_body"]


class LayoutConfig(DatasetConfig):
    """Base of the data sets in their original folders."""

    root: SpecPath = Field(description="the data set's folder, as unpacked")
    segmenter: Annotated[ComponentSpec, Slot("segmenter")] | None = Field(
        default=None,
        description="finds skin, head, feet, apparel and background; null: the label maps of the data set",
    )
    pose_encoder: Annotated[ComponentSpec, Slot("pose_encoder")] | None = Field(
        default=None, description="finds the pose; null: the poses of the data set"
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

    def elsewhere(self, root: Path) -> Self:
        """Return the configuration for such a data set in another place. See `DatasetConfig.elsewhere`."""
        return relocated(self, self.root, root, cache=None)


class VitonHdConfig(LayoutConfig):
    """VITON-HD: folders train and test, next to train_pairs.txt and test_pairs.txt."""

    terms = Terms("CC-BY-NC-4.0", "https://github.com/shadow2496/VITON-HD#license")
    address = "https://github.com/shadow2496/VITON-HD"

    split: Split = Field(
        default="train", description="which of its two parts to read; skinfw splits it again"
    )
    label_maps: str = Field(
        default="image-parse-v3",
        min_length=1,
        description="folder of the label maps within a part: image-parse-v3, or image-parse in the first "
        "release",
    )
    poses: str = Field(
        default="openpose_json",
        min_length=1,
        description="folder of OpenPose's JSON within a part: openpose_json, or openpose-json in the first "
        "release",
    )


class DressCodeConfig(LayoutConfig):
    """Dress Code: folders dresses, lower_body and upper_body with lists of pairs in each."""

    terms = Terms(
        "LicenseRef-Dress-Code",
        "https://github.com/aimagelab/dress-code/blob/main/LICENCE",
        "no",
        "non-commercial academic research, teaching and publication only; the same for works made with it",
    )
    address = "https://github.com/aimagelab/dress-code"

    split: Split = Field(
        default="train", description="photos of train_pairs.txt, of test_pairs_paired.txt, or all"
    )
    categories: tuple[Category, ...] = Field(
        default=("dresses", "lower_body", "upper_body"),
        min_length=1,
        description="which of its folders to read",
    )
    points_size: tuple[Side, Side] = Field(
        default=(512, 384),
        description="height and width in pixels of the images in which the points were found: half the "
        "photos' size (according to the authors)",
    )


class DeepfashionMultimodalConfig(LayoutConfig):
    """DeepFashion-MultiModal: folders images and segm, and text files of keypoints."""

    terms = Terms(
        "LicenseRef-DeepFashion",
        "https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html",
        "no",
        "its images are DeepFashion's, for non-commercial research and education only",
    )
    address = "https://github.com/yumingj/DeepFashion-MultiModal"
