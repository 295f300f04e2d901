"""Limbs along a pose, and the clothes over them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from skinfw.components.config import Size
from skinfw.data.body_parts import Body, Limb, in_strip, pixels_of
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask


def limbs_of_pose(
    keypoints: Keypoints, size: Size, width: float = 1.0, limbs: Collection[Limb] | None = None
) -> Mask | None:
    """Return where limbs are, based on the pose: strips that taper as bare limbs do.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.
        width: factor of their typical width.
        limbs: which limbs; None for all of them and the hands.

    Returns:
        bool ``(H, W)``; None if too few points were found to estimate the body's size.
    """
    body = Body.of(keypoints)
    if body is None:
        return None
    found = np.zeros(size, bool)
    for part in body.parts:
        if part.half_widths is not None and (limbs is None or part.limb in limbs):
            begin, end = (half * width * body.unit for half in part.half_widths)
            found |= in_strip(part.begin, part.end, (begin, end), size)
    return found


def nearest_to_limbs(keypoints: Keypoints, mask: Mask, limbs: Collection[Limb], reach: float) -> Mask | None:
    """Return the pixels of a mask that are nearer to limbs than to any other part of the body.

    Args:
        keypoints: the pose, in pixels of the mask.
        mask: bool ``(H, W)``.
        limbs: which limbs.
        reach: maximum distance, in radii of the part.

    Returns:
        bool ``(H, W)``; None if the pose does not show any of the limbs.
    """
    body = Body.of(keypoints)
    if body is None or not any(part.limb in limbs for part in body.parts):
        return None
    index, nearest = body.nearest(pixels_of(mask))
    wanted = np.array([part.limb in limbs for part in body.parts], bool)
    found = np.zeros_like(mask)
    found[mask] = wanted[index] & (nearest <= reach**2)
    return found
