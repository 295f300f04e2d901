"""The check that the skin mask marks skin: not clothes, and hardly the trunk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skinfw.components.field_names import SKIN
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.data.skin_color import MIN_PIXELS, lab
from skinfw.data.trunk import trunk_of_pose
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import Finding, severity_of
from skinfw.doctor.opened import Opened, place_of
from skinfw.doctor.poses import check_pose


def check_skin(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report a skin mask that covers too much of the person or the trunk, or that is unlike the face."""
    if sample.skin is None or sample.person is None or not (sample.skin & sample.person).any():
        return
    skin = sample.skin & sample.person
    fraction = np.count_nonzero(skin) / np.count_nonzero(sample.person)
    if fraction > config.skin_fraction:
        yield _finding(
            sample,
            fraction / config.skin_fraction,
            f"{fraction:.0%} of the person is {SKIN}; it may include clothes",
        )
    yield from _check_trunk(sample, config, skin, sample.person)
    if sample.face is not None and sample.body is not None:
        yield from _check_color(sample, config, skin, sample.body, sample.face & ~skin)


def _check_trunk(sample: Opened, config: DoctorConfig, skin: Mask, person: Mask) -> Iterator[Finding]:
    if sample.keypoints is None or any(check_pose(sample, config)):  # a wrong pose does not show the trunk
        return
    trunk = trunk_of_pose(sample.keypoints, (skin.shape[0], skin.shape[1]), within=person)
    if trunk is None or np.count_nonzero(trunk & person) < MIN_PIXELS:
        return
    fraction = np.count_nonzero(skin & trunk) / np.count_nonzero(trunk & person)
    if fraction > config.trunk_skin:
        yield _finding(
            sample,
            fraction / config.trunk_skin,
            f"{SKIN} covers {fraction:.0%} of the trunk, {place_of(skin & trunk)}; it may include clothes",
        )


def _check_color(
    sample: Opened, config: DoctorConfig, skin: Mask, body: RgbImage, face: Mask
) -> Iterator[Finding]:
    """Report skin whose hue and saturation are unlike those of the face; shadows hardly change them."""
    if min(np.count_nonzero(face), np.count_nonzero(skin)) < MIN_PIXELS:
        return
    colors = lab(body)[..., 1:]
    difference = float(np.linalg.norm(np.median(colors[skin], axis=0) - np.median(colors[face], axis=0)))
    if difference > config.skin_difference:
        yield _finding(
            sample,
            difference / config.skin_difference,
            f"{SKIN} does not have the color of the face (a and b of CIE Lab differ by {difference:.0f}); it "
            "may mark clothes",
        )


def _finding(sample: Opened, ratio: float, what: str) -> Finding:
    message = f"{what}: correct the mask, segment the photo again, or exclude the sample"
    return Finding("implausible skin", (sample.name,), severity_of(ratio, 1.0), message)
