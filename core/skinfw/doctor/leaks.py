"""Checks that the removed skin is neither in the input nor outside the mask."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from skinfw.components.field_names import APPAREL, SKIN
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.data.skin_color import MIN_PIXELS, SkinColor, skin_color
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import CheckName, Finding, severity_of
from skinfw.doctor.opened import Opened, place_of
from skinfw.errors import counted

_FAR = (2, 5)
"""Distance from the skin mask, in rims, of the apparel that apparel next to the mask is compared with."""

_JOINTS = ("RElbow", "RWrist", "LElbow", "LWrist", "RKnee", "LKnee")
_SURE = 0.3
"""Minimum confidence of a checked joint."""

_SPOT = 0.012
"""Radius of the spot at a joint, as a fraction of the person's height: about a wrist."""

_COVERED = 0.7
"""Fraction of the spot that must be kept apparel."""


def check_leaks(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report skin or clothes visible in the input where skin should be removed, and skin outside the mask."""
    apparel, kept, body, skin = sample.apparel, sample.kept, sample.body, sample.skin
    if apparel is None or kept is None or body is None or skin is None or not skin.any():
        return
    color = _own_color(sample, body, skin)
    yield from _check_inside(sample, config, apparel, skin & kept, skin, color)
    if color is not None and sample.from_skin is not None:
        yield from _check_rim(sample, config, color.like(apparel), _cloth(sample, kept & ~skin))
        yield from _check_uncovered(sample, config, color.like(body), kept, skin)
        yield from _check_joints(sample, config, color.like(apparel), _cloth(sample, kept & ~skin))


def _own_color(sample: Opened, body: RgbImage, skin: Mask) -> SkinColor | None:
    """Return the color of the face if the label map has one, of the masked skin otherwise."""
    face = sample.labeled_face
    if face is not None and np.count_nonzero(face) >= MIN_PIXELS:
        return skin_color(body, face | skin)
    return skin_color(body, skin)


def _check_inside(
    sample: Opened,
    config: DoctorConfig,
    apparel: RgbImage,
    visible: Mask,
    skin: Mask,
    color: SkinColor | None,
) -> Iterator[Finding]:
    """Report visible patches inside the mask: skin if most of a patch has its color, else clothes."""
    skinny = visible if color is None else _mostly(visible, color.like(apparel))
    total = np.count_nonzero(skin)
    kinds: tuple[tuple[CheckName, Mask, str], ...] = (
        ("skin in the input", skinny, "still shows skin"),
        ("sleeve in the input", visible & ~skinny, "shows clothes"),
    )
    for check, where, what in kinds:
        fraction = np.count_nonzero(where) / total
        if fraction > config.leak_fraction:
            yield Finding(
                check,
                (sample.name,),
                severity_of(fraction, config.leak_fraction),
                f"{APPAREL} {what} in {fraction:.1%} of {SKIN}, {place_of(where)}; erase it there, or "
                "correct the mask",
            )


def _mostly(where: Mask, like: Mask) -> Mask:
    """Return the connected patches of a region that are at least half of the color."""
    _, patches = cv2.connectedComponents(where.astype(np.uint8), connectivity=8)
    fraction = np.bincount(patches.ravel(), like.ravel()) / np.maximum(np.bincount(patches.ravel()), 1)
    found: Mask = where & (fraction >= 0.5)[patches]
    return found


def _cloth(sample: Opened, kept: Mask) -> Mask:
    """Return the kept pixels without head and feet, if those are known."""
    cloth = kept.copy()
    for part in (sample.head, sample.region("feet")):
        if part is not None:
            cloth &= ~part
    return cloth


def _check_rim(sample: Opened, config: DoctorConfig, like: Mask, cloth: Mask) -> Iterator[Finding]:
    """Report more skin color in clothes next to the mask than farther away, which indicates real skin."""
    assert sample.from_skin is not None
    near = cloth & (sample.from_skin <= config.rim)
    far = cloth & (sample.from_skin > _FAR[0] * config.rim) & (sample.from_skin <= _FAR[1] * config.rim)
    if min(np.count_nonzero(near), np.count_nonzero(far)) < MIN_PIXELS:
        return
    beside, elsewhere = float(like[near].mean()), float(like[far].mean())
    if beside - elsewhere > config.rim_excess:
        yield Finding(
            "skin in the input",
            (sample.name,),
            severity_of(beside - elsewhere, config.rim_excess),
            f"{APPAREL} seems to show skin along the edge of {SKIN}: {beside:.0%} of the clothes within "
            f"{counted(config.rim, 'pixel')} are skin-colored, farther away only {elsewhere:.0%}; prepare "
            "the sample again with a larger margin",
        )


def _check_uncovered(
    sample: Opened, config: DoctorConfig, like: Mask, kept: Mask, skin: Mask
) -> Iterator[Finding]:
    """Report erased, skin-colored body outside the mask and its rim: skin that will not be inpainted."""
    assert sample.from_skin is not None and sample.person is not None
    missed = like & sample.person & ~kept & (sample.from_skin > config.rim)
    fraction = np.count_nonzero(missed) / np.count_nonzero(skin)
    if fraction > config.uncovered_fraction:
        yield Finding(
            "skin outside the mask",
            (sample.name,),
            severity_of(fraction, config.uncovered_fraction),
            f"{SKIN} seems to miss skin {place_of(missed)}; the input is erased there and body skin-colored, "
            f"on {fraction:.0%} of the mask's area: correct the mask",
        )


def _check_joints(sample: Opened, config: DoctorConfig, like: Mask, cloth: Mask) -> Iterator[Finding]:
    """Report joints where clothes have the color of skin but hardly anywhere else: they are bare."""
    if sample.keypoints is None or sample.person is None or not sample.person.any() or not cloth.any():
        return
    usual = float(like[cloth].mean())
    if usual > config.joint_usual:
        return
    rows, _ = np.nonzero(sample.person)
    radius = max(2, round(_SPOT * (np.ptp(rows) + 1)))
    for name in _JOINTS:
        x, y, score = sample.keypoints.point(name)
        if score < _SURE:
            continue
        spot = np.zeros(cloth.shape, np.uint8)
        cv2.circle(spot, (round(float(x)), round(float(y))), radius, 1, cv2.FILLED)
        shown = cloth & spot.astype(bool)
        if not shown.any() or np.count_nonzero(shown) < _COVERED * np.count_nonzero(spot):
            continue
        fraction = float(like[shown].mean())
        if fraction > config.joint_skin:
            yield Finding(
                "skin outside the mask",
                (sample.name,),
                severity_of(fraction, config.joint_skin),
                f"{SKIN} may miss a limb: at {name} (x={x:.0f}, y={y:.0f}), {fraction:.0%} of {APPAREL} is "
                f"skin-colored, of all clothes only {usual:.0%}; correct the mask",
            )
