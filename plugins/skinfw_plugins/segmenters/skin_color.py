"""Distinguishing skin from clothes by the color of the person's face, without training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.assembly.build import build
from skinfw.components.config import Size
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Mask, RegionName, RgbImage, Segmentation
from skinfw.data.skin_color import SkinColor, lab, skin_like
from skinfw.errors import DataError, UserError
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.body_parts import PARTS, Part, part_codes
from skinfw_plugins.segmenters.config import SkinColorConfig

CLASSES = ("background", "skin", "face", "hair", "feet", "apparel")
REGIONS: Mapping[RegionName, tuple[str, ...]] = {
    "background": ("background",),
    "skin": ("skin",),
    "head": ("face", "hair"),
    "feet": ("feet",),
    "apparel": ("apparel",),
}

PART_CLASSES: Mapping[Part, str] = {"background": "background", "head": "hair", "foot": "feet"}
"""The class of pixels that are not skin in each part; apparel for all other parts."""

BARE: Mapping[Part, float] = {
    "upper_arm": -0.5,
    "lower_arm": 0.5,
    "hand": 2.0,
    "torso": -4.0,
    "upper_leg": -1.0,
    "lower_leg": 0.2,
    "foot": -1.0,
}
"""Prior log odds that a pixel of a part is bare: hands mostly are, trunks hardly ever.
These numbers and those below were chosen on street photos."""

NECK = 4.0
"""Added to a trunk's log odds below the face, falling off over half the height of the head."""

OUTWARD = 5.0
"""Weight of a lower limb's bare fraction for the upper one: clothes cover limbs from the trunk on."""

SURE, SURELY_NOT = 3.0, -7.0
"""Log odds above which a pixel is certain when the cut learns the image's colors."""

MAX = 8.4
"""Maximum log odds from color alone, for or against skin."""

MIN_PIXELS = 30
"""Minimum number of pixels for a color model."""


class SkinColorSegmenter(Segmenter[SkinColorConfig]):
    """Turns a map of body parts into skin, apparel, head, feet and background.

    The color of the face (robust mean and covariance in Lab), the body part and whether the limb is bare
    further out determine the log odds of skin at each pixel. A graph cut (GrabCut, Rother et al. 2004) learns
    the image's colors of skin and everything else from the certain pixels and finds the edges; opening and
    closing remove specks.
    """

    def __init__(self, config: SkinColorConfig, io: None) -> None:
        super().__init__(config, io)
        self._parts: Segmenter[Any] = build(config.parts, Segmenter)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the five regions of a photo, all background if it shows nobody.

        Raises:
            DataError: the body parts cannot be found, or nothing on the person has the color of skin.
            UserError: the other segmenter's label map has no body parts.
        """
        found = self._parts.segment(photo)
        try:
            parts = part_codes(found.classes)[found.labels]
        except ValueError as error:
            raise UserError(
                f"skin_color needs a map of body parts, but {self.config.parts.name} returns another: {error}"
            ) from None
        if _is(parts, "background").all():
            return Segmentation(np.zeros(photo.size, np.uint8), CLASSES, REGIONS)
        image, small = _shrunk(photo.pixels, parts, self.config.resolution)
        face = _is(small, "head") & skin_like(image)
        seen = _seen_skin(image, small, face)
        if seen is None:
            name = "the photo" if photo.path is None else str(photo.path)
            raise DataError(f"{name}: nothing on the person has the color of skin")
        odds = log_odds(lab(image), small, seen, self.config.distance, self.config.sharpness)
        skin = self._cleaned(self._cut(image, small, odds, face))
        return Segmentation(_labels(parts, skin, face), CLASSES, REGIONS)

    def _cut(self, image: RgbImage, parts: LabelMap, odds: NDArray[np.float64], face: Mask) -> Mask:
        """Return the skin of arms, trunk and legs, bool ``(h, w)``."""
        body = ~_is(parts, "background", "head")
        marks = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        marks[odds > SURE] = cv2.GC_FGD
        marks[(odds < SURELY_NOT) | ~body] = cv2.GC_BGD
        # the face is skin, but is not inpainted: it only provides colors
        marks[face] = cv2.GC_FGD
        if self.config.rounds and (marks == cv2.GC_FGD).any() and (marks % 2 == 0).any():
            # the models start from OpenCV's random numbers
            cv2.setRNGSeed(0)
            models = np.zeros((2, 1, 65))
            bgr, nowhere = np.ascontiguousarray(image[..., ::-1]), (0, 0, 1, 1)
            cv2.grabCut(bgr, marks, nowhere, models[0], models[1], self.config.rounds, cv2.GC_INIT_WITH_MASK)
        skin: Mask = (marks % 2 == 1) & body
        return skin

    def _cleaned(self, skin: Mask) -> Mask:
        """Remove specks, and fill holes of their size."""
        side = 2 * self.config.speck + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        opened = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, disc)
        return cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc).astype(bool)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files of the part map."""
        return self._parts.sources(photo)

    def fingerprint(self) -> str:
        """Return the fingerprint of the part map."""
        return self._parts.fingerprint()


def log_odds(
    colors: NDArray[np.float32], parts: LabelMap, seen: SkinColor, distance: float, sharpness: float
) -> NDArray[np.float64]:
    """Return the log odds that each pixel is skin, float64 ``(h, w)``; meaningless on the head.

    Args:
        colors: the image in Lab, float32 ``(h, w, 3)``.
        parts: codes of `PARTS`, uint8 ``(h, w)``.
        seen: the color of the person's skin.
        distance: squared Mahalanobis distance at which a color is neutral.
        sharpness: log odds per unit of squared distance.
    """
    before = np.array([BARE.get(part, 0.0) for part in PARTS])
    odds: NDArray[np.float64] = (
        np.clip(sharpness * (distance - seen.distance(colors)), -MAX, MAX) + before[parts]
    )
    odds += np.where(_is(parts, "torso"), NECK * _below_face(_is(parts, "head")), 0)
    pairs: tuple[tuple[Part, Part], ...] = (("upper_arm", "lower_arm"), ("upper_leg", "lower_leg"))
    for inner, outer in pairs:
        limb = _is(parts, outer)
        if limb.any():
            odds[_is(parts, inner)] += OUTWARD * (float((odds[limb] > 0).mean()) - 0.5)
    return odds


def _below_face(head: Mask) -> NDArray[np.float64]:
    """Return a Gaussian weight around the start of the neck, where it is 1."""
    ys, xs = np.nonzero(head)
    if not len(ys):
        return np.zeros(head.shape)
    top, begin, chin = np.quantile(ys, (0.02, 0.95, 0.98))
    height = max(4.0, float(chin - top))
    rows, columns = np.mgrid[: head.shape[0], : head.shape[1]]
    off = ((columns - np.median(xs)) / (0.45 * height)) ** 2 + ((rows - begin) / (0.5 * height)) ** 2
    near: NDArray[np.float64] = np.exp(-off / 2)
    return near


def _seen_skin(image: RgbImage, parts: LabelMap, face: Mask) -> SkinColor | None:
    """Return the color of the face; if it is too small, of face and hands, then of the whole person."""
    like = skin_like(image)
    for where in (face, face | (_is(parts, "hand") & like), ~_is(parts, "background") & like):
        if np.count_nonzero(where) >= MIN_PIXELS:
            return SkinColor.fitted(lab(image)[where])
    return None


def _is(parts: LabelMap, *names: Part) -> Mask:
    return np.array([part in names for part in PARTS])[parts]


def _shrunk(image: RgbImage, parts: LabelMap, resolution: int) -> tuple[RgbImage, LabelMap]:
    """Return image and parts downscaled to a maximum longer side."""
    scale = min(1.0, resolution / max(parts.shape))
    height, width = (max(1, round(side * scale)) for side in parts.shape)
    return (
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False),
        cv2.resize(parts, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False),
    )


def _grown(mask: Mask, size: Size) -> Mask:
    """Return a small mask upscaled to an image's size, with smooth edges."""
    values = cv2.resize(mask.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    grown: Mask = values > 0.5
    return grown


def _labels(parts: LabelMap, skin: Mask, face: Mask) -> LabelMap:
    """Return codes of `CLASSES`, uint8 ``(H, W)``, from full-size parts and small masks."""
    size = (parts.shape[0], parts.shape[1])
    codes = [CLASSES.index(PART_CLASSES.get(part, "apparel")) for part in PARTS]
    labels: LabelMap = np.array(codes, np.uint8)[parts]
    head = _is(parts, "head")
    labels[head & _grown(face, size)] = CLASSES.index("face")
    labels[~(head | _is(parts, "background")) & _grown(skin, size)] = CLASSES.index("skin")
    return labels
