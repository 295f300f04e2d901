"""What may be painted: never the trunk or the hips unasked, and no hand that clothes cover."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from skinfw.components.config import Size
from skinfw.data.body_parts import ZONES, Body, Limb
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.limbs import limbs_of_pose
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.data.trunk import trunk_of_pose, trunks_of_poses
from skinfw.errors import DataError, UserError, counted
from skinfw.inference.background import behind_limbs
from skinfw.inference.expose import clothes_over
from skinfw.inference.margin import margin_of, outline_of

MaskKind = Literal["given", "found", "region", "exposed"]
"""Where the painted pixels come from: a given mask, holes of the photo, a region, or clothes over limbs."""

_MARKED: dict[MaskKind, str] = {"found": "the holes", "region": "the region", "exposed": "the clothes"}

_NEVER = "which are never painted unasked; give a mask"
_NO_TRUNK = "the pose does not show where the trunk is, which is never painted unasked; give a mask"

_JOINED = "the pose seems to join two people"

_ALL_SKIN = f"{_JOINED}, so all that is painted becomes skin"

_MIN_SHARE = 0.005
"""Fraction of what is marked from which a warning says that it lies on the trunk, the hips or the hands."""

_MIN_COVERED = 0.25
"""Fraction of the clothes over a limb from which a warning says that they stay."""

_ON_HIPS = 0.3
"""Fraction of a thigh that lies on the hips of people who stand: the median over 137 street photos."""


@dataclass(frozen=True)
class Allowed:
    """The pixels of a photo that are painted.

    Attributes:
        mask: bool ``(H, W)``.
        kind: where they come from.
        behind: those that become background, bool ``(H, W)``; in a region, the network finds others.
        left: pixels that were marked and are left as they are.
        warnings: what the user should know about it.
    """

    mask: Mask
    kind: MaskKind
    behind: Mask
    left: int = 0
    warnings: tuple[str, ...] = ()


def kind_of(mask: object, region: object, limbs: Collection[Limb], mask_color: object) -> MaskKind:
    """Return what says where to paint; None, or no limbs, means that it was not given.

    Raises:
        UserError: several things do.
    """
    if (mask is not None) + (region is not None) + bool(limbs) > 1:
        raise UserError(
            "a mask says where skin is, a region where clothes are, expose which limbs to bare; give only "
            "one of them"
        )
    if limbs and mask_color is not None:
        raise UserError("expose finds what to paint by the pose; leave the mask color out")
    if mask is not None:
        return "given"
    if region is not None:
        return "region"
    return "exposed" if limbs else "found"


def allowed_pixels(
    kind: MaskKind,
    marked: Mask | None,
    limbs: Collection[Limb],
    photo: RgbImage,
    labels: Segmentation,
    people: Sequence[Keypoints],
    where: object,
) -> Allowed:
    """Return the pixels that may be painted.

    Args:
        kind: what says where to paint.
        marked: what is marked, bool ``(H, W)``; None for clothes over limbs.
        limbs: the limbs to expose, if no pixels are marked.
        photo: uint8 RGB ``(H, W, 3)``.
        labels: its label map.
        people: the poses of the person and then of others, in its pixels. Only a given mask is painted
            without a pose, and only a given mask on anybody's trunk or hips.
        where: names the photo in errors.

    Raises:
        DataError: nothing may be painted; the message says why.
    """
    if marked is not None and kind == "given":
        return allowed_mask(marked, people[0] if people else None)
    if not people:
        raise DataError(f"{where}: {_NO_TRUNK}")
    if marked is None:
        return allowed_clothes(limbs, photo, labels, people, where)
    if kind == "region":
        return allowed_region(marked, labels, people, where)
    return allowed_holes(marked, people, where)


def allowed_mask(mask: Mask, pose: Keypoints | None) -> Allowed:
    """Return a given mask as it is, with a warning about the trunk.

    Args:
        mask: bool ``(H, W)``.
        pose: the person's pose in its pixels; None if it is unknown: all of the mask is skin.
    """
    if pose is None:
        return Allowed(mask, "given", np.zeros_like(mask))
    if _joins_people(pose):
        return Allowed(mask, "given", np.zeros_like(mask), warnings=(_ALL_SKIN,))
    trunk = trunk_of_pose(pose, _size(mask), within=mask)
    if trunk is None:
        warning = "the pose does not show where the trunk is, so the mask was not checked"
        return Allowed(mask, "given", behind_limbs(mask, pose), warnings=(warning,))
    share = np.count_nonzero(mask & trunk) / np.count_nonzero(mask)
    warnings = (f"{share:.0%} of the mask is on the trunk or the hips",) if share >= _MIN_SHARE else ()
    return Allowed(mask, "given", behind_limbs(mask, pose), warnings=warnings)


def allowed_holes(holes: Mask, people: Sequence[Keypoints], where: object) -> Allowed:
    """Return the part of holes in a photo that may be painted: not on trunk or hips.

    Args:
        holes: bool ``(H, W)``.
        people: see `allowed_pixels`.
        where: names the photo in errors.

    Raises:
        DataError: the pose does not show where the trunk is, or no hole is elsewhere.
    """
    pose, trunk = people[0], trunks_of_poses(people, _size(holes), within=holes)
    if trunk is None:
        raise DataError(f"{where}: {_NO_TRUNK}")
    allowed = _without(holes, {"the trunk or the hips": trunk}, "found", where)
    if _joins_people(pose):
        return replace(allowed, warnings=(*allowed.warnings, _ALL_SKIN))
    return replace(allowed, behind=behind_limbs(allowed.mask, pose))


def allowed_region(region: Mask, labels: Segmentation, people: Sequence[Keypoints], where: object) -> Allowed:
    """Return the part of a region that may be painted, with its margin: not on trunk, hips or hands.

    Args:
        region: bool ``(H, W)``.
        labels: the photo's label map.
        people: see `allowed_pixels`.
        where: names the photo in errors.

    Raises:
        DataError: the pose does not show trunk and hands, or nothing of the region is elsewhere.
    """
    pose = people[0]
    wide = region | margin_of(region, pose, outline_of(labels, pose))
    trunk = trunks_of_poses(people, _size(region), within=wide)
    zones = zones_of_pose(pose, _size(region), within=wide)
    if trunk is None or zones is None:
        raise DataError(f"{where}: the pose does not show where trunk and hands are, {_NEVER}")
    hands = (zones == ZONES.index("hand")) & ~trunk
    allowed = _without(region, {"the trunk or the hips": trunk, "the hands": hands}, "region", where, wide)
    if _joins_people(pose):
        return replace(
            allowed, warnings=(*allowed.warnings, f"{_JOINED}: trunk and hands may be in the wrong place")
        )
    return allowed


def allowed_clothes(
    limbs: Collection[Limb], photo: RgbImage, labels: Segmentation, people: Sequence[Keypoints], where: object
) -> Allowed:
    """Return the clothes over limbs that may be painted, with their margin: not on trunk or hips.

    Args:
        limbs: the limbs to expose.
        photo: uint8 RGB ``(H, W, 3)``.
        labels: its label map.
        people: see `allowed_pixels`.
        where: names the photo in errors.

    Raises:
        DataError: the pose does not show the limbs or the trunk, or joins two people, or the limbs are bare
            or on the trunk.
    """
    pose = people[0]
    if _joins_people(pose):
        raise DataError(
            f"{where}: {_JOINED}, so limbs are in the wrong place; give a mask, or name another pose encoder"
        )
    clothes, skin = clothes_over(limbs, photo, labels, people, where)
    # an arm that is hidden behind the trunk gets a place on it
    wide = clothes | margin_of(clothes, pose, labels.region("background"))
    trunk = trunks_of_poses(people, _size(clothes), under_arms=True, within=wide)
    if trunk is None:
        raise DataError(f"{where}: {_NO_TRUNK}")
    allowed = _without(clothes, {"the trunk or the hips": trunk}, "exposed", where, wide)
    if not (skin & allowed.mask).any():
        raise DataError(f"{where}: the limbs lie on the trunk or the hips, {_NEVER}")
    return replace(
        allowed, behind=allowed.mask & ~skin, warnings=_covered(limbs, clothes & trunk, clothes, pose)
    )


def _covered(limbs: Collection[Limb], kept: Mask, clothes: Mask, pose: Keypoints) -> tuple[str, ...]:
    """Return a warning for each limb of which more stays covered than usual.

    Args:
        limbs: the limbs to expose.
        kept: the clothes that stay, bool ``(H, W)``.
        clothes: the clothes over all limbs, bool ``(H, W)``.
        pose: the person's pose in its pixels.
    """
    warnings = []
    for limb in limbs:
        strip = limbs_of_pose(pose, _size(clothes), limbs=(limb,))
        if strip is None or not (strip & clothes).any():
            continue
        share = np.count_nonzero(strip & kept) / np.count_nonzero(strip & clothes)
        if share >= _MIN_COVERED + (_ON_HIPS if limb == "thighs" else 0):
            warnings.append(
                f"{limb.replace('_', ' ')}: {share:.0%} of what clothes cover stays covered, on the trunk or "
                "the hips; give a mask to paint it"
            )
    return tuple(warnings)


def _joins_people(pose: Keypoints) -> bool:
    body = Body.of(pose)
    return body is not None and body.joins_people


def _size(mask: Mask) -> Size:
    return mask.shape[0], mask.shape[1]


def _without(
    marked: Mask, parts: Mapping[str, Mask], kind: MaskKind, where: object, wide: Mask | None = None
) -> Allowed:
    """Return marked pixels without parts of the body, and count those of each part.

    Args:
        marked: bool ``(H, W)``.
        parts: the parts of the body that are not painted, by name.
        kind: where the marked pixels come from.
        where: names the photo in errors.
        wide: the marked pixels with their margin, which becomes background; None if they have none.

    Raises:
        DataError: nothing marked is left.
    """
    kept = np.logical_or.reduce(list(parts.values()))
    allowed = marked & ~kept
    if not allowed.any():
        raise DataError(f"{where}: nothing of {_MARKED[kind]} lies outside {' and '.join(parts)}, {_NEVER}")
    counts = {name: int(np.count_nonzero(marked & part)) for name, part in parts.items()}
    warnings = tuple(
        f"{counted(count, 'pixel')} of {_MARKED[kind]} on {name} stay as they are; give a mask to paint them"
        for name, count in counts.items()
        if count >= _MIN_SHARE * np.count_nonzero(marked)
    )
    margin = np.zeros_like(marked) if wide is None else wide & ~marked & ~kept
    return Allowed(allowed | margin, kind, margin, sum(counts.values()), warnings)
