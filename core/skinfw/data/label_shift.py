"""By how many pixels label maps lie off their photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, RgbImage

MAX_SHIFT = 5
"""Maximum shift in pixels that is found."""

_CLEARLY, _PEAK = 1.1, 1.5
"""How many times as strong the photos' edges must be elsewhere, compared to where the label maps lie and to
the median of all shifts."""


@dataclass(frozen=True)
class EdgeStrength:
    """How strong a photo's edges are along the outline of its person, if that is moved.

    Attributes:
        down: mean gradient from the upper to the lower pixel, in levels, float ``(2, 2 * MAX_SHIFT + 1)``: at
            the person's upper and lower outline, moved down by -`MAX_SHIFT` to `MAX_SHIFT` pixels; NaN
            without such an outline.
        right: the same to the right.
    """

    down: NDArray[np.float64]
    right: NDArray[np.float64]


def edge_strength(pixels: RgbImage, person: Mask) -> EdgeStrength:
    """Measure the strength of a photo's edges along the outline of its person.

    Args:
        pixels: the photo, uint8 RGB ``(H, W, 3)``.
        person: where its label map says the person is, bool ``(H, W)``.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return EdgeStrength(_strength(gray, person), _strength(gray.T, person.T))


def _strength(gray: NDArray[np.float64], person: Mask) -> NDArray[np.float64]:
    """Return `EdgeStrength.down` of an image."""
    gradient = np.abs(np.diff(gray, axis=0))
    outline = np.diff(person.astype(np.int8), axis=0)
    outline[:MAX_SHIFT] = outline[len(outline) - MAX_SHIFT :] = 0  # cannot be moved
    found = np.full((2, 2 * MAX_SHIFT + 1), np.nan)
    for side, step in enumerate((1, -1)):
        rows, columns = np.nonzero(outline == step)
        if len(rows):
            moved = rows[:, None] + np.arange(-MAX_SHIFT, MAX_SHIFT + 1)
            found[side] = gradient[moved, columns[:, None]].mean(axis=0)
    return found


def label_shift(strengths: Iterable[EdgeStrength]) -> tuple[int, int]:
    """Return how far label maps must be moved down and to the right to lie on their photos.

    Both sides of the people must agree: outlines that are too wide are not moved.

    Args:
        strengths: the strength of the edges in several photos, whose label maps are off by the same shift.

    Returns:
        pixels, each up to `MAX_SHIFT`; 0 unless the photos' edges are clearly stronger elsewhere.
    """
    measured = list(strengths)
    return _best([each.down for each in measured]), _best([each.right for each in measured])


def _best(strengths: list[NDArray[np.float64]]) -> int:
    known = [each for each in strengths if np.isfinite(each).all()]
    if not known:
        return 0
    sides = np.mean(known, axis=0).min(axis=0)
    best = int(sides.argmax())
    clear = sides[best] > max(_CLEARLY * sides[MAX_SHIFT], _PEAK * float(np.median(sides)))
    return best - MAX_SHIFT if clear else 0
