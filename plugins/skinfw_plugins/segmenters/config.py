"""Configurations of the segmenters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from skinfw.config import ComponentConfig


class DeepfashionConfig(ComponentConfig):
    """How DeepFashion's label maps are read."""

    palette: Literal["files", "mmfashion"] = Field(
        default="files",
        description=(
            "which class a colour stands for: as found in the real files, or as documented by mmfashion "
            "(the two disagree on eleven names)"
        ),
    )
    suffix: str = Field(
        default="_segment.png",
        min_length=1,
        description="what takes the place of the photo's ending in the label map's name",
    )
    snap_distance: float = Field(
        default=24.0,
        ge=0,
        le=60,
        description=(
            "largest distance in RGB, each 0 to 255, at which a colour counts as the nearest of the palette; "
            "for label maps that were saved as JPEG"
        ),
    )
