"""Configurations of the pose encoders that read the files of published data sets."""

from __future__ import annotations

from pydantic import Field

from skinfw.components.config import PoseEncoderConfig
from skinfw.components.outside import SpecPath


class DeepfashionPointsConfig(PoseEncoderConfig):
    """Where DeepFashion-MultiModal's keypoints are."""

    locations: SpecPath = Field(description="the file keypoints_loc.txt: one line per photo")
    visibility: SpecPath | None = Field(
        default=None, description="the file keypoints_vis.txt; null: all points that exist count as visible"
    )
    hidden: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="confidence of a point that is hidden; a visible one has 1",
    )
