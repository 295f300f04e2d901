"""Taking a sleeve or a trouser leg off by the pose alone: which clothes go, and where the limb is in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.strict_model import nearest
from skinfw.data.body_parts import LIMB_GROUPS, LIMBS, Body, Limb
from skinfw.data.keypoints import Keypoints
from skinfw.data.limbs import distance_to_limbs, limbs_of_pose
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.errors import DataError, UserError
from skinfw.inference.margin import margin_of
from skinfw.runtime.box import bounding_box

SURE, REACH = 1.0, 2.0
"""Distances from a limb's axis, in radii of its body zone: up to the first, clothes belong to its sleeve or
trouser leg; up to the second, they do as far as the photo shows no edge.

In 91 street photos of people in trousers, 9% of the trousers stay, and in 47 with a bag, 10% of what it shows
beside the legs goes. Without a look at edges, these are 10% and 29% with a reach of 2.5, and 11% and 12% with
one of 1.5."""

MIN_COVERED = 0.1
"""Fraction of the limbs that clothes must cover; with less, the end of a sleeve, the limbs count as bare."""

MIN_ON_LIMB = 0.1
"""Fraction of a patch of clothes that must be on the limb; with less, they lie beside it."""

_SMOOTH = 0.04
"""Side of the squares whose median is taken before edges are looked for, in units of the trunk's length: the
patterns of cloth do not count as edges."""

_SPECK = 0.005
"""Maximum size of a patch of background in the clothes over a limb, or of clothes that would stay beside it,
that is an error, in squares of the trunk's length."""

CARRIED = re.compile(r"(.*[ _-])?((hand)?bags?|backpacks?|purses?|wallets?|umbrellas?)", re.IGNORECASE)
"""Classes of apparel that is carried."""


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
    limbs: Collection[Limb], photo: RgbImage, labels: Segmentation, people: Sequence[Keypoints], where: object
) -> tuple[Mask, Mask]:
    """Return the clothes over limbs, and where the limbs are in them: strips along the pose.

    Clothes beside a limb, such as a skirt next to a bare forearm, are not over it, nor are bags and what is
    nearer to somebody else. The edge of bare skin next to the clothes counts as theirs.

    Args:
        limbs: the limbs to expose.
        photo: uint8 RGB ``(H, W, 3)``.
        labels: its label map.
        people: the poses of the person and then of others, in its pixels.
        where: names the photo in errors.

    Returns:
        both bool ``(H, W)``.

    Raises:
        DataError: the pose does not show the limbs, or they are bare.
    """
    named = " or ".join(limb.replace("_", " ") for limb in limbs)
    bare, worn = labels.region("skin"), _worn(labels)
    strips = limbs_of_pose(people[0], (worn.shape[0], worn.shape[1]), limbs=limbs)
    if strips is not None:
        worn |= strips & _specks(labels.region("background"), people[0])
    away = distance_to_limbs(people, worn | bare, limbs)
    if away is None or strips is None:
        raise DataError(f"{where}: the pose does not show {named}; give a mask")
    clothes = _up_to_edges(photo, worn, away, strips, people[0])
    count, patches = cv2.connectedComponents(clothes.astype(np.uint8), connectivity=8)
    on_limb = np.bincount(patches[clothes & strips], minlength=count)
    over = on_limb >= MIN_ON_LIMB * np.bincount(patches.ravel(), minlength=count)
    over[0] = False
    clothes = over[patches]
    if not clothes.any() or np.count_nonzero(clothes & strips) < MIN_COVERED * np.count_nonzero(strips):
        raise DataError(f"{where}: no clothes over {named}; nothing to expose")
    clothes |= margin_of(clothes, people[0], bare & strips & (away <= REACH))
    return clothes, clothes & strips


def _worn(labels: Segmentation) -> Mask:
    """Return the apparel that is worn and not carried, bool ``(H, W)``."""
    bags = [name for name in labels.classes if CARRIED.fullmatch(name)]
    return labels.region("apparel") & ~labels.of_classes(*bags)


def _specks(mask: Mask, pose: Keypoints) -> Mask:
    """Return the small patches of a mask, bool ``(H, W)``."""
    body = Body.of(pose)
    _, patches, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= (0 if body is None else _SPECK * body.unit**2)
    small[0] = False
    found: Mask = small[patches]
    return found


def _up_to_edges(
    photo: RgbImage, worn: Mask, away: NDArray[np.float32], strips: Mask, pose: Keypoints
) -> Mask:
    """Return the clothes near limbs, up to the edges between them and what lies beside, bool ``(H, W)``.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        worn: the clothes, bool ``(H, W)``.
        away: the distance from the limbs in radii, float32 ``(H, W)``.
        strips: the limbs, bool ``(H, W)``.
        pose: the person's pose in its pixels.
    """
    near = worn & (away <= REACH)
    sure = near & ((away <= SURE) | strips)
    body, box = Body.of(pose), bounding_box(near)
    if body is None or box is None or not sure.any():
        return sure
    edge = np.s_[max(0, box.top - 1) : box.bottom + 1, max(0, box.left - 1) : box.right + 1]
    markers = np.select([sure[edge], near[edge], worn[edge]], [1, 0, 2], 3).astype(np.int32)
    side = 2 * round(_SMOOTH * body.unit / 2) + 1
    found = cv2.watershed(cv2.medianBlur(np.ascontiguousarray(photo[edge]), side), markers)
    # the lines between what was found belong to what stays
    beside = cv2.dilate((found == 2).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    clothes = sure.copy()
    clothes[edge] |= near[edge] & ~beside
    clothes |= near & _specks(worn & ~clothes, pose)
    return clothes
