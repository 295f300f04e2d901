"""Configurations of the segmenters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from skinfw.components.config import ComponentConfig
from skinfw.components.outside import Outside
from skinfw.components.reference import ComponentSpec, Slot
from skinfw_plugins.networks.bodypix_config import BodyPixNetwork
from skinfw_plugins.segmenters.config_labels import Labels

SnapDistance = Annotated[
    float,
    Field(
        ge=0,
        le=60,
        description=(
            "maximum distance in RGB, each 0 to 255, at which a color is mapped to the nearest palette "
            "color; for label maps saved as JPEG"
        ),
    ),
]

Shift = Annotated[
    tuple[Annotated[int, Field(ge=-100, le=100)], Annotated[int, Field(ge=-100, le=100)]],
    Field(
        description="pixels by which every label map is moved down and to the right before use; negative: "
        "up and to the left. For label maps that are misaligned with their photos"
    ),
]


class DeepfashionConfig(ComponentConfig):
    """How to read DeepFashion's label maps."""

    palette: Literal["files", "mmfashion"] = Field(
        default="files",
        description=(
            "which class each color means: as in the published files, or as documented by mmfashion (the "
            "two disagree on eleven names)"
        ),
    )
    suffix: str = Field(
        default="_segment.png",
        min_length=1,
        description="replaces the photo's extension in the label map's name",
    )
    snap_distance: SnapDistance = 24.0
    shift: Shift = (0, 0)

    def reads_files(self) -> bool:
        """Return True: it reads label maps. See `ComponentConfig.reads_files`."""
        return True


class LabelMapConfig(ComponentConfig):
    """Which label set the files use, and where they are."""

    labels: Labels = Field(
        description="the label set: its name, or an object with classes (in the order of their codes) and "
        "regions",
        examples=["atr"],
    )
    folder: Annotated[str | None, Outside("path")] = Field(
        default=None,
        min_length=1,
        description=(
            "folder of the label maps, relative to the photo's folder, for example ../label_maps; null: "
            "next to the photo"
        ),
    )
    suffix: str = Field(
        default=".png",
        min_length=1,
        description="replaces the photo's extension in the label map's name",
    )
    photo_suffix: str = Field(
        default="",
        description="suffix removed from the photo's name, without its extension, before that",
    )
    snap_distance: SnapDistance = 24.0
    palette_indices: bool = Field(
        default=False,
        description=(
            "read the indices of a palette image as class codes whatever its colors are; otherwise only if "
            "its colors are those of a known palette"
        ),
    )
    shift: Shift = (0, 0)

    def reads_files(self) -> bool:
        """Return True: it reads label maps. See `ComponentConfig.reads_files`."""
        return True


class BodyPixConfig(BodyPixNetwork):
    """Which BodyPix network runs, at which resolution, and how confident it must be."""

    threshold: float = Field(
        default=0.7,
        gt=0,
        lt=1,
        description="probability above which a pixel belongs to a person (BodyPix 2: 0.7)",
    )
    people: Literal["main", "all"] = Field(
        default="main",
        description="which people to keep: the largest patch with what lies above and below it, or everyone",
    )


def _bodypix() -> ComponentSpec:
    return ComponentSpec("segmenter", "bodypix", BodyPixConfig())


class SkinColorConfig(ComponentConfig):
    """How skin is distinguished from clothes inside a part map."""

    parts: Annotated[ComponentSpec, Slot("segmenter")] = Field(
        default_factory=_bodypix,
        description="the segmenter that finds the body parts; its classes are named like BodyPix's",
    )
    distance: float = Field(
        default=7.0,
        gt=0,
        description="squared Mahalanobis distance from the face's color at which a color is neither skin's "
        "nor clothes'",
    )
    sharpness: float = Field(
        default=0.7,
        gt=0,
        description="log odds of skin per unit of that distance: how much color counts",
    )
    rounds: int = Field(
        default=2,
        ge=0,
        le=20,
        description="iterations of the graph cut; 0: each pixel is decided separately",
    )
    speck: int = Field(
        default=1, ge=0, le=20, description="radius in pixels, at that resolution, of specks to remove"
    )
    resolution: int = Field(
        default=256,
        ge=64,
        le=4096,
        description="pixels of the longer side at which skin is segmented, before upscaling",
    )

    def reads_files(self) -> bool:
        """Return whether the segmenter of the parts does. See `ComponentConfig.reads_files`."""
        return self.parts.config.reads_files()
