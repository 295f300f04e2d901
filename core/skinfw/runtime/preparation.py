"""How the training photos were prepared, which every photo to paint repeats."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MIN_ASPECT, MAX_ASPECT = 0.1, 10.0
"""Range of the crop's height divided by its width."""


class Preparation(BaseModel):
    """The geometry of a model's training samples.

    Attributes:
        aspect: height of the crop around the person, divided by its width.
        crop_margin: margin around the person, as a fraction of the person's longer side.
        removed_margin: pixels by which the removed skin was dilated, in photos of a few hundred pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aspect: float = Field(ge=MIN_ASPECT, le=MAX_ASPECT)
    crop_margin: float = Field(default=0.05, ge=0, le=1)
    removed_margin: int = Field(default=3, ge=0, le=100)
