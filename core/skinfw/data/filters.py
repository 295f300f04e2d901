"""What a photo shows: the view, whether the feet are in it, how much skin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from skinfw.data.keypoints import Keypoints
from skinfw.data.prepare_config import BodyShown, PrepareConfig, View
from skinfw.data.prepare_report import LeftOut
from skinfw.data.segmentation import Segmentation

FRONTAL_SHOULDERS = 0.35
"""Shoulder width over torso length above which a person faces the camera or turns the back to it. In 729
street photos people seen from the front have 0.35 to 0.78 (median 0.64)."""

LEAST_FEET = 0.002
"""Share of the person's pixels that must be feet for a full body; shoes in full-body photos are 1% to 25%."""

_FILE_VIEW = re.compile(r"\d+_\d+_(front|side|back|full|additional)")


@dataclass(frozen=True)
class Facts:
    """What the filters go by; None where it is not known (yet).

    Attributes:
        view: from where the person is seen.
        body: whether the feet are in the picture.
        skin_share: share of the person's pixels that is skin, in [0, 1].
    """

    view: View | None = None
    body: BodyShown | None = None
    skin_share: float | None = None

    def check(self, config: PrepareConfig) -> None:
        """Compare with the filters; what is not known passes.

        Raises:
            LeftOut: the photo is not wanted.
        """
        if self.view is not None and self.view not in config.views:
            raise LeftOut("other view", f"{self.view}, wanted: {', '.join(config.views)}")
        if self.body is not None and config.body not in ("any", self.body):
            raise LeftOut("other part of the body", f"{self.body}, wanted: {config.body}")
        if self.skin_share is not None and self.skin_share < config.least_skin:
            wanted = f"{config.least_skin:.2%}"
            raise LeftOut("too little skin", f"{self.skin_share:.2%} of the person, wanted: {wanted}")


def facts_of(photo: Path, segmentation: Segmentation, keypoints: Keypoints) -> Facts:
    """Return what a photo shows; the view comes from the file name where that tells it."""
    return Facts(
        view=view_of_name(photo) or view_of_pose(keypoints),
        body=body_shown(segmentation, keypoints),
        skin_share=round(skin_share(segmentation), 6),
    )


def view_of_name(photo: Path) -> View | None:
    """Return the view that a DeepFashion file name tells, ``NN_P_<view>.jpg``, or None for other names."""
    match = _FILE_VIEW.fullmatch(photo.stem)
    return cast(View, match.group(1)) if match else None


def view_of_pose(keypoints: Keypoints) -> View | None:
    """Return from where a person is seen, told by the shoulders.

    Seen from the front, the person's right shoulder is on the left of the picture; from the back it is on the
    right; from the side the two are close together compared to the length of the torso.

    Returns:
        front, back or side; None where shoulders, neck or hips were not found.
    """
    names = ("RShoulder", "LShoulder", "Neck", "MidHip")
    right, left, neck, hip = (keypoints.point(name) for name in names)
    torso = float(np.hypot(*(neck - hip)[:2]))
    if min(point[2] for point in (right, left, neck, hip)) <= 0 or torso == 0:
        return None
    width = float(left[0] - right[0]) / torso
    if abs(width) < FRONTAL_SHOULDERS:
        return "side"
    return "front" if width > 0 else "back"


def body_shown(segmentation: Segmentation, keypoints: Keypoints) -> BodyShown:
    """Return whether the feet are in the picture.

    They are where the label map has feet, or where skin lies below an ankle of the pose (bare feet), each at
    least `LEAST_FEET` of the person's pixels.
    """
    feet = segmentation.region("feet")
    ankles = [keypoints.point(name) for name in ("RAnkle", "LAnkle")]
    heights = [float(ankle[1]) for ankle in ankles if ankle[2] > 0]
    if heights:
        below = np.arange(feet.shape[0]) > min(heights)
        feet = feet | (segmentation.region("skin") & below[:, None])
    person = np.count_nonzero(segmentation.person)
    return "full" if person and np.count_nonzero(feet) >= LEAST_FEET * person else "upper"


def skin_share(segmentation: Segmentation) -> float:
    """Return which share of the person's pixels is skin, in [0, 1]; 0 where nobody is there."""
    person = np.count_nonzero(segmentation.person)
    return np.count_nonzero(segmentation.region("skin")) / person if person else 0.0
