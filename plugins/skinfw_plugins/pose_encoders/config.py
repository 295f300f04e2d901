"""Configurations of the pose encoders."""

from __future__ import annotations

from pydantic import Field

from skinfw.config import PoseEncoderConfig, SpecPath


class OpenposeConfig(PoseEncoderConfig):
    """Where OpenPose's JSON files are."""

    folder: SpecPath | None = Field(
        default=None,
        description=(
            "folder of the JSON files, with the photos' own subfolders or without; null: the folder called "
            "openpose nearest above the photo; beside the photos they are looked for first in any case"
        ),
    )
    suffix: str = Field(
        default="_keypoints.json",
        min_length=1,
        description="what takes the place of the photo's ending in the JSON file's name (OpenPose 1.7)",
    )
