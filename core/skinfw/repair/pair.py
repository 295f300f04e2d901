"""A photo and a try-on result, compared on the result's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from skinfw.data.body_zones import body_distances
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import dilate
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.errors import DataError
from skinfw.repair.alignment import Alignment, align
from skinfw.repair.regions import Regions, agreement, regions_of

EDGE = 0.004
"""Width of the edge of garments, as a fraction of the result's height: label maps are off by some pixels."""


@dataclass(frozen=True)
class Pair:
    """A photo and a result, compared on the result's pixels.

    Attributes:
        alignment: how the photo was fitted into the result.
        photo: the photo as the result would show it, uint8 RGB ``(H, W, 3)``.
        pose: the person's pose in pixels of the result, or None.
        person: the regions of the photo.
        result: the regions of the result.
        same_skin: skin and face that both show, with contours that agree, bool ``(H, W)``.
    """

    alignment: Alignment
    photo: RgbImage
    pose: Keypoints | None
    person: Regions
    result: Regions
    same_skin: Mask

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the result."""
        return self.alignment.geometry.size

    @property
    def edge(self) -> int:
        """Width of the edge of garments in pixels."""
        return max(1, round(EDGE * self.size[0]))

    @property
    def garment_edge(self) -> Mask:
        """The garments of both with their edges, bool ``(H, W)``."""
        return dilate(self.person.apparel | self.result.apparel, self.edge)

    @property
    def new_skin(self) -> Mask:
        """Skin of the result that was under clothes in the photo, without slivers, bool ``(H, W)``."""
        new = (self.result.skin & self.person.apparel).astype(np.uint8)
        side = 2 * self.edge + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        return cv2.morphologyEx(new, cv2.MORPH_OPEN, disc).astype(bool)


def compare(
    person: RgbImage,
    result: RgbImage,
    parse_person: Segmentation,
    parse_result: Segmentation,
    pose: Keypoints | None,
) -> Pair:
    """Align a photo with a result and find the skin that both show; see `repair` for the arguments.

    Raises:
        DataError: as `repair`, or a segmentation has another size than its picture.
    """
    for name, image, parse in (("photo", person, parse_person), ("result", result, parse_result)):
        if parse.labels.shape != image.shape[:2]:
            height, width = parse.labels.shape
            raise DataError(
                f"the label map of the {name} has {height}x{width} pixels (height x width), the {name} "
                f"{image.shape[0]}x{image.shape[1]}; their sizes must be equal"
            )
    alignment = align(person, result, parse_person, parse_result)
    geometry = alignment.geometry
    placed = None if pose is None else geometry.keypoints(pose)
    distances = None if placed is None else body_distances(placed, geometry.size)
    shown = regions_of(geometry.segmentation(parse_person), placed, distances)
    found = regions_of(parse_result, placed, distances)
    same = shown.bare & found.bare & agreement(shown, found)
    return Pair(alignment, geometry.image(person), placed, shown, found, same)
