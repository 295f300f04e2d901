"""The check that poses from files fit the photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.errors import DataError

_OUTSIDE, _MARGIN = 1 / 3, 0.05
"""Fraction of the points that may lie outside the photo by more than a fraction of its longer side. Photos
crop people, and some programs guess the rest."""

_SURE = 0.3
"""Minimum confidence of points that count, if there are any: programs are unsure of guesses."""


def check_inside(people: Sequence[Keypoints], size: Size, source: str, advice: str) -> None:
    """Reject poses that mostly lie outside the photo: they belong to another photo, or another size of it.

    Args:
        people: all poses, in pixels of the photo.
        size: the photo's height and width in pixels.
        source: their source, for the error.
        advice: what to do if the size differs, for the error.

    Raises:
        DataError: too many points lie outside.
    """
    points = np.concatenate([np.zeros((0, 3)), *(pose.points[pose.points[:, 2] > 0] for pose in people)])
    sure = points[:, 2] >= _SURE
    found = points[sure if sure.any() else slice(None), :2]
    margin = _MARGIN * max(size)
    outside = ((found < -margin) | (found > np.array([size[1], size[0]]) + margin)).any(axis=1)
    if outside.sum() > _OUTSIDE * len(found):
        (left, top), (right, bottom) = found.min(axis=0), found.max(axis=0)
        raise DataError(
            f"{source}: {outside.sum()} of {len(found)} points lie outside the photo of {size[0]}x{size[1]} "
            f"pixels (height x width): they range from x={left:.0f}, y={top:.0f} to x={right:.0f}, "
            f"y={bottom:.0f}; the pose belongs to another photo, or to another size of this one; in that "
            f"case {advice}"
        )
