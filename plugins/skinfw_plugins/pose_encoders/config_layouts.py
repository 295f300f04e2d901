"""Configurations of the pose encoders that read the files of published data sets."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from skinfw.config import PoseEncoderConfig, SpecPath, nearest

POINTS = 21
"""Points of a person in DeepFashion-MultiModal."""


class DeepfashionPointsConfig(PoseEncoderConfig):
    """Where DeepFashion-MultiModal's keypoints are, and which points they are."""

    points: tuple[str, ...] = Field(
        min_length=POINTS,
        max_length=POINTS,
        description=(
            "the BODY_25 name of each of the 21 points in the files' order, as the data set's picture "
            "keypoints_definition.png shows it; an empty text for a point that BODY_25 has not"
        ),
    )
    locations: SpecPath = Field(description="the file keypoints_loc.txt: a line a photo")
    visibility: SpecPath | None = Field(
        default=None, description="the file keypoints_vis.txt; null: points that are there count as seen"
    )
    hidden: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="confidence of a point that is there but hidden; a seen one has 1",
    )

    @field_validator("points")
    @classmethod
    def _check_points(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from skinfw.data.keypoints import BODY_25  # brings numpy, which a configuration does not need

        named = [name for name in value if name]
        for name in named:
            if name not in BODY_25:
                raise PydanticCustomError(
                    "points", f"{name!r} is no point of BODY_25{nearest(name, list(BODY_25))}"
                )
        if len(set(named)) != len(named):
            raise PydanticCustomError("points", "a point stands twice; name each once")
        return value
