"""Configurations of the pose encoders that read the files of published data sets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from skinfw.components.config import PoseEncoderConfig
from skinfw.components.origin import Origin
from skinfw.components.outside import SpecPath


class DeepfashionPointsConfig(PoseEncoderConfig):
    """Where DeepFashion-MultiModal's keypoints are."""

    locations: Annotated[
        SpecPath,
        Origin(
            "download the keypoints of DeepFashion-MultiModal from "
            "https://github.com/yumingj/DeepFashion-MultiModal",
            "non-commercial research",
        ),
    ] = Field(
        description="the file keypoints_loc.txt: one line per photo",
        examples=["keypoints/keypoints_loc.txt"],
    )
    visibility: SpecPath | None = Field(
        default=None, description="the file keypoints_vis.txt; null: all points that exist count as visible"
    )
    hidden: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="confidence of a point that is hidden; a visible one has 1",
    )
