"""Limbs along a pose, and the clothes over them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

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


def distance_to_limbs(
    people: Sequence[Keypoints], mask: Mask, limbs: Collection[Limb]
) -> NDArray[np.float32] | None:
    """Return how far the pixels of a mask are from a person's limbs, if nothing else of anybody is nearer.

    The foot belongs to the lower leg, as trouser legs end there.

    Args:
        people: the poses of the person and then of others, in pixels of the mask.
        mask: bool ``(H, W)``.
        limbs: which limbs.

    Returns:
        the distance in radii of the part, float32 ``(H, W)``; infinite outside the mask and where something
        else is nearer. None if the pose does not show any of the limbs.
    """
    body = Body.of(people[0])
    if body is None or not any(part.limb in limbs for part in body.parts):
        return None
    pixels = pixels_of(mask)
    own, rest = (np.full(pixels[0].shape, np.inf, np.float32) for _ in range(2))
    for part in body.parts:
        wanted = part.limb in limbs or (part.zone == "foot" and "lower_legs" in limbs)
        if not wanted and "thighs" in limbs and part.end is body.places.get("MidHip"):
            continue  # the round end of the trunk's axis lies between the thighs
        least = own if wanted else rest
        np.minimum(least, body.distance(part, pixels), out=least)
    for other in filter(None, map(Body.of, people[1:])):
        if other.parts and not other.joins_people:
            np.minimum(rest, other.nearest(pixels)[1], out=rest)
    found = np.full(mask.shape, np.inf, np.float32)
    found[mask] = np.where(own < rest, np.sqrt(own), np.inf)
    return found
