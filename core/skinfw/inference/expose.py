"""Taking a sleeve or a trouser leg off by the pose alone: which clothes go, and where the limb is in them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from skinfw.components.strict_model import nearest
from skinfw.data.body_parts import LIMBS, Limb
from skinfw.data.keypoints import Keypoints
from skinfw.data.limbs import limbs_of_pose, nearest_to_limbs
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError, UserError

REACH = 2.5
"""Distance from a limb's axis, in radii of its body zone, up to which clothes belong to its sleeve."""

WIDTH = 0.75
"""Width of a drawn limb, as a factor of the width of its body zone: that of the baseline ``limbs``."""


def parse_limbs(text: str) -> tuple[Limb, ...]:
    """Return limbs given as names with commas between them.

    Raises:
        UserError: an unknown limb.

    Example:
        >>> parse_limbs("forearms, neck")
        ('forearms', 'neck')
    """
    return tuple(_check(name.strip()) for name in text.split(","))


def clothes_over(limbs: Collection[Limb], labels: Segmentation, pose: Keypoints, where: object) -> Mask:
    """Return the clothes over limbs, bool ``(H, W)``.

    Args:
        limbs: the limbs to expose.
        labels: the photo's label map.
        pose: the person's pose in its pixels.
        where: names the photo in errors.

    Raises:
        UserError: an unknown limb.
        DataError: the pose does not show them, or they wear nothing.
    """
    for limb in limbs:
        _check(limb)
    clothes = nearest_to_limbs(pose, labels.region("apparel"), limbs, REACH)
    if clothes is None:
        raise DataError(f"{where}: the pose does not show {_named(limbs)}; give a mask")
    if not clothes.any():
        raise DataError(f"{where}: no clothes over {_named(limbs)}; nothing to expose")
    return clothes


def limbs_in(limbs: Collection[Limb], clothes: Mask, pose: Keypoints) -> Mask:
    """Return where limbs are in the clothes over them, bool ``(H, W)``: strips along the pose.

    Args:
        limbs: the limbs to expose.
        clothes: the clothes over them, bool ``(H, W)``.
        pose: the person's pose in its pixels.
    """
    strips = limbs_of_pose(pose, (clothes.shape[0], clothes.shape[1]), WIDTH, limbs)
    return np.zeros_like(clothes) if strips is None else clothes & strips


def _named(limbs: Collection[Limb]) -> str:
    return " or ".join(limb.replace("_", " ") for limb in limbs)


def _check(name: str) -> Limb:
    for limb in LIMBS:
        if limb == name:
            return limb
    raise UserError(f"no limb {name!r}{nearest(name, list(LIMBS))}; known: {', '.join(LIMBS)}")
