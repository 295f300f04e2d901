"""Taking a sleeve or a trouser leg off by the pose alone: which clothes go, and where the limb is in them."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from skinfw.components.strict_model import nearest
from skinfw.data.body_parts import LIMB_GROUPS, LIMBS, Limb
from skinfw.data.keypoints import Keypoints
from skinfw.data.limbs import limbs_of_pose, nearest_to_limbs
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError, UserError

REACH = 2.5
"""Distance from a limb's axis, in radii of its body zone, up to which clothes belong to its sleeve."""

MIN_COVERED = 0.1
"""Fraction of the limbs that clothes must cover; with less, the end of a sleeve, the limbs count as bare."""

MIN_ON_LIMB = 0.1
"""Fraction of a patch of clothes that must be on the limb; with less, they lie beside it."""


def parse_limbs(text: str) -> tuple[Limb, ...]:
    """Return limbs given as names with commas between them, each once and in the order of `LIMBS`.

    Raises:
        UserError: an unknown limb.

    Example:
        >>> parse_limbs("arms, neck")
        ('neck', 'upper_arms', 'forearms')
    """
    return known_limbs([name.strip() for name in text.split(",")])


def known_limbs(names: Collection[str]) -> tuple[Limb, ...]:
    """Return limbs, each once and in the order of `LIMBS`.

    Args:
        names: their names, or those of `LIMB_GROUPS`.

    Raises:
        UserError: an unknown limb.
    """
    if isinstance(names, str):
        raise UserError(f"limbs to expose: {names!r} is one text; give a list of names")
    known = [*LIMBS, *LIMB_GROUPS]
    for name in names:
        if name not in known:
            raise UserError(
                f"limbs to expose: no limb {name!r}{nearest(name, known)}; known: {', '.join(known)}"
            )
    chosen = {limb for name in names for limb in LIMB_GROUPS.get(name, (name,))}
    return tuple(limb for limb in LIMBS if limb in chosen)


def clothes_over(
    limbs: Collection[Limb], labels: Segmentation, pose: Keypoints, where: object
) -> tuple[Mask, Mask]:
    """Return the clothes over limbs, and where the limbs are in them: strips along the pose.

    Clothes beside a limb, such as a skirt next to a bare forearm, are not over it.

    Args:
        limbs: the limbs to expose.
        labels: the photo's label map.
        pose: the person's pose in its pixels.
        where: names the photo in errors.

    Returns:
        both bool ``(H, W)``.

    Raises:
        DataError: the pose does not show the limbs, or they are bare.
    """
    named = " or ".join(limb.replace("_", " ") for limb in limbs)
    apparel = labels.region("apparel")
    clothes = nearest_to_limbs(pose, apparel, limbs, REACH)
    strips = limbs_of_pose(pose, (apparel.shape[0], apparel.shape[1]), limbs=limbs)
    if clothes is None or strips is None:
        raise DataError(f"{where}: the pose does not show {named}; give a mask")
    count, patches = cv2.connectedComponents(clothes.astype(np.uint8), connectivity=8)
    on_limb = np.bincount(patches[clothes & strips], minlength=count)
    over = on_limb >= MIN_ON_LIMB * np.bincount(patches.ravel(), minlength=count)
    over[0] = False
    clothes = over[patches]
    if not clothes.any() or np.count_nonzero(clothes & strips) < MIN_COVERED * np.count_nonzero(strips):
        raise DataError(f"{where}: no clothes over {named}; nothing to expose")
    return clothes, clothes & strips
