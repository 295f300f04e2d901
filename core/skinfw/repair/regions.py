"""What a photo and a result show where: skin, face, hands and garments, and whether their contours agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.body_zones import BodyDistances
from skinfw.data.face import face_classes, face_from_keypoints
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError

MIN_AGREEMENT = 0.75
"""Minimum local overlap of the bare skin in photo and result where a contour counts as unmoved.

The overlap is the intersection over union in a window of `WINDOW`, without garments. On 40 photos of 512x512,
limbs 2 pixels off keep 93% of the skin that both show, 4 pixels off 48%, 6 pixels off 22%. Label maps by
``skin_color`` of 8 photos and of their mirror images agree on 98%."""

WINDOW = 0.08
"""Side of the window, as a fraction of the result's height: about the width of an arm."""

_HAND_CLASS = re.compile(r"(.*[ _-])?hands?", re.IGNORECASE)


@dataclass(frozen=True)
class Regions:
    """The regions of one picture, each bool ``(H, W)``.

    Attributes:
        skin: skin without the face; with it if the label map does not separate the two.
        face: the face, with glasses and the like inside it; empty if it cannot be located.
        hands: the visible hands, a part of ``skin``; empty if they cannot be located.
        apparel: clothes and accessories.
    """

    skin: Mask
    face: Mask
    hands: Mask
    apparel: Mask

    @property
    def bare(self) -> Mask:
        """Skin and face."""
        return self.skin | self.face


def regions_of(found: Segmentation, pose: Keypoints | None, distances: BodyDistances | None) -> Regions:
    """Return the regions of a picture.

    Args:
        found: its segmentation.
        pose: the person's pose in pixels of the picture; it locates face and hands if the classes do not.
        distances: the distances from the parts of that pose.

    Raises:
        DataError: the segmentation does not separate skin from garments.
    """
    absent = [name for name in ("skin", "apparel") if name not in found.regions]
    if absent:
        raise DataError(
            f"the label map has no class of {' or '.join(absent)}; choose a segmenter that separates skin "
            "from garments"
        )
    skin = found.region("skin")
    hands = found.of_classes(*(name for name in found.classes if _HAND_CLASS.fullmatch(name))) & skin
    if not hands.any() and distances is not None:
        hands = skin & nearest_zone(distances, "hand")
    face = _face(found, pose)
    return Regions(skin & ~face, face, hands & ~face, found.region("apparel"))


def _face(found: Segmentation, pose: Keypoints | None) -> Mask:
    """Return the face with its holes, such as glasses."""
    classes = face_classes(found.classes)
    if classes:
        face = found.of_classes(*classes)
    elif pose is not None:
        disc = face_from_keypoints(pose, (found.labels.shape[0], found.labels.shape[1]))
        face = np.zeros(found.labels.shape, bool) if disc is None else disc & found.region("head", "skin")
    else:
        return np.zeros(found.labels.shape, bool)
    outlines, _ = cv2.findContours(face.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(face.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    within: Mask = filled.astype(bool) & found.region("head")
    return face | within


def nearest_zone(distances: BodyDistances, *zones: str) -> Mask:
    """Return the pixels that are nearer to one of some parts of a body than to any other, bool ``(H, W)``."""
    names = list(distances.parts)
    nearest = np.stack([distances.parts[name] for name in names]).argmin(axis=0)
    chosen: Mask = np.isin(nearest, [index for index, name in enumerate(names) if name in zones])
    return chosen


def agreement(person: Regions, result: Regions) -> Mask:
    """Return where the contours of bare skin agree in a photo and a result, bool ``(H, W)``.

    Where a limb has moved, the two overlap less, and neither may be taken for the other. Skin that a garment
    covers in one of them does not count.

    Args:
        person: the regions of the photo, on the result's pixels.
        result: the regions of the result.
    """
    seen = ~(person.apparel | result.apparel)
    side = 2 * max(1, round(WINDOW * seen.shape[0] / 2)) + 1

    def within(mask: Mask) -> NDArray[Any]:
        counts = cv2.boxFilter(
            (mask & seen).astype(np.float32),
            -1,
            (side, side),
            normalize=False,
            borderType=cv2.BORDER_CONSTANT,
        )
        return np.asarray(counts, np.float32)

    both, either = within(person.bare & result.bare), within(person.bare | result.bare)
    agrees: Mask = (both >= MIN_AGREEMENT * either) & (either > 0)
    return agrees
