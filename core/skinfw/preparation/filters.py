"""What a photo shows, and whether it passes the filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import RgbImage, Segmentation
from skinfw.preparation.config import BodyShown, PrepareConfig, View
from skinfw.preparation.crop import person_box
from skinfw.preparation.duplicates import perceptual_hash
from skinfw.preparation.measures import class_fractions, cut_off_fraction, sharpness
from skinfw.preparation.report import Rejected

FRONTAL_SHOULDERS = 0.35
"""Ratio of shoulder width to torso length above which a person is seen from the front or back. In 729 street
photos, people seen from the front have 0.35 to 0.78 (median 0.64)."""

MIN_FEET = 0.002
"""Fraction of the person's pixels that must be feet for a full body; shoes in full-body photos are 1% to
25%."""

_FILE_VIEW = re.compile(r"\d+_\d+_(front|side|back|full|additional)")


@dataclass(frozen=True)
class Facts:
    """The values that the filters check; None if unknown (yet).

    Attributes:
        view: the view of the person.
        body: whether the feet are in the image.
        skin_fraction: fraction of the person's pixels that is skin, in [0, 1].
        size: the photo's shorter side in pixels.
        people: how many people are in the photo.
        person: longer side of the box around the person in pixels.
        cut_off: fraction of that box's outline that is person on the photo's border, in [0, 1].
        sharpness: variance of the Laplacian in that box, see `skinfw.preparation.measures.sharpness`.
        classes: fraction of the person's pixels for each class present.
        confidence: how sure the segmenter is, see `skinfw.data.segmentation.Segmentation`.
        phash: the photo's perceptual hash, 16 hexadecimal digits.
        mirrored_phash: that of its mirror image.
        fits: how well tables of classes fit the label map, see `skinfw.data.plausibility`.
        misfit: what makes the label map implausible; empty if it is plausible.
    """

    view: View | None = None
    body: BodyShown | None = None
    skin_fraction: float | None = None
    size: int | None = None
    people: int | None = None
    person: int | None = None
    cut_off: float | None = None
    sharpness: float | None = None
    classes: Mapping[str, float] | None = None
    confidence: float | None = None
    phash: str | None = None
    mirrored_phash: str | None = None
    fits: Mapping[str, float] | None = None
    misfit: str = ""

    def check(self, config: PrepareConfig) -> None:
        """Apply the filters; unknown values pass.

        Raises:
            Rejected: the photo does not pass.
        """
        if self.size is not None and self.size < config.min_size:
            detail = f"shorter side of {self.size} pixels, wanted: {config.min_size}"
            raise Rejected("photo too small", detail)
        if self.people is not None and config.people is not None and self.people > config.people:
            raise Rejected("too many people", f"{self.people}, wanted at most: {config.people}")
        self._check_person(config)
        if self.view is not None and self.view not in config.views:
            options = " ".join(f"--view {view}" for view in (*config.views, self.view))
            raise Rejected(
                "other view", f"{self.view}, wanted: {', '.join(config.views)}; {options} keeps it"
            )
        if self.body is not None and config.body not in ("any", self.body):
            raise Rejected("other part of the body", f"{self.body}, wanted: {config.body}")
        self._check_classes(config)
        if self.skin_fraction == 0:
            raise Rejected("no skin found", "the label map has no skin, so there is nothing to inpaint")
        if self.skin_fraction is not None and self.skin_fraction < config.min_skin:
            wanted = f"{config.min_skin:.2%}"
            raise Rejected("too little skin", f"{self.skin_fraction:.2%} of the person, wanted: {wanted}")

    def _check_person(self, config: PrepareConfig) -> None:
        if self.person is not None and self.person < config.min_person:
            detail = f"longer side of {self.person} pixels, wanted: {config.min_person}"
            raise Rejected("person too small", detail)
        if self.cut_off is not None and self.cut_off > config.max_cut_off:
            detail = f"{self.cut_off:.1%} of the outline, wanted at most: {config.max_cut_off:.1%}"
            raise Rejected("person cut off", detail)
        if self.confidence is not None and self.confidence < config.min_confidence:
            detail = f"{self.confidence:.3f}, wanted: {config.min_confidence:g}"
            raise Rejected("label map uncertain", detail)
        if self.sharpness is not None and self.sharpness < config.min_sharpness:
            raise Rejected("not sharp", f"{self.sharpness:.0f}, wanted: {config.min_sharpness:g}")

    def _check_classes(self, config: PrepareConfig) -> None:
        if self.classes is None:
            return
        there = [name for name, fraction in self.classes.items() if fraction >= config.min_class]
        if config.require_classes and not set(there) & set(config.require_classes):
            detail = f"{', '.join(there)}, wanted: {' or '.join(config.require_classes)}"
            raise Rejected("required class missing", detail)
        unwanted = [name for name in there if name in config.exclude_classes]
        if unwanted:
            detail = ", ".join(f"{name}: {self.classes[name]:.1%} of the person" for name in unwanted)
            raise Rejected("excluded class shown", detail)


def facts_of(
    photo: RgbImage, view: View | None, segmentation: Segmentation, keypoints: Keypoints | None, people: int
) -> Facts:
    """Return what a photo shows.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        view: the view of the person if known; None: derived from the pose.
        segmentation: the label map, with a person in it.
        keypoints: the person's pose; None if it is unknown.
        people: the number of people.
    """
    box = person_box(segmentation.person)
    if box is None:
        raise ValueError("the label map contains nobody")
    return Facts(
        view=view or (None if keypoints is None else view_of_pose(keypoints)),
        body=body_shown(segmentation, keypoints),
        skin_fraction=round(skin_fraction(segmentation), 6),
        size=min(photo.shape[:2]),
        people=people,
        person=max(box.height, box.width),
        cut_off=round(cut_off_fraction(segmentation.person, box), 6),
        sharpness=round(sharpness(photo, box), 3),
        classes={name: round(fraction, 6) for name, fraction in class_fractions(segmentation).items()},
        confidence=None if segmentation.confidence is None else round(segmentation.confidence, 6),
        phash=perceptual_hash(photo),
        mirrored_phash=perceptual_hash(photo[:, ::-1]),
    )


def view_of_name(photo: Path) -> View | None:
    """Return the view in a DeepFashion file name, ``NN_P_<view>.jpg``, or None for other names."""
    match = _FILE_VIEW.fullmatch(photo.stem)
    return cast(View, match.group(1)) if match else None


def view_of_pose(keypoints: Keypoints) -> View | None:
    """Return the view of a person, derived from the shoulders.

    Seen from the front, the person's right shoulder is on the left of the image; from the back it is on the
    right; from the side they are close together compared to the length of the torso.

    Returns:
        front, back or side; None if shoulders, neck or hips were not found.
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


def body_shown(segmentation: Segmentation, keypoints: Keypoints | None) -> BodyShown:
    """Return whether the feet are in the image.

    They are feet in the label map, or skin below an ankle of the pose (bare feet), in either case at least
    `MIN_FEET` of the person's pixels.
    """
    feet = segmentation.region("feet")
    ankles = [] if keypoints is None else [keypoints.point(name) for name in ("RAnkle", "LAnkle")]
    heights = [float(ankle[1]) for ankle in ankles if ankle[2] > 0]
    if heights:
        below = np.arange(feet.shape[0]) > min(heights)
        feet = feet | (segmentation.region("skin") & below[:, None])
    person = np.count_nonzero(segmentation.person)
    return "full" if person and np.count_nonzero(feet) >= MIN_FEET * person else "upper"


def skin_fraction(segmentation: Segmentation) -> float:
    """Return the fraction of the person's pixels that is skin, in [0, 1]; 0 without a person."""
    person = np.count_nonzero(segmentation.person)
    return np.count_nonzero(segmentation.region("skin")) / person if person else 0.0
