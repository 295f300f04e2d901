"""How the training photos were prepared, which every photo to paint repeats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preparation:
    """The geometry of a model's training samples.

    Attributes:
        aspect: height of the crop around the person, divided by its width.
        crop_margin: margin around the person, as a fraction of the person's longer side.
        removed_margin: pixels by which the removed skin was dilated, in photos of a few hundred pixels.
    """

    aspect: float
    crop_margin: float = 0.05
    removed_margin: int = 3
