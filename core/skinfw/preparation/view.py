"""What a network sees of a photo: a box of it, at the network's size without distortion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from skinfw.components.config import Size
from skinfw.data.resize import WHITE, resize_image, resize_labels
from skinfw.data.segmentation import LabelMap, Mask, RgbImage
from skinfw.preparation.crop import person_box
from skinfw.runtime.box import Box, crop_box


@dataclass(frozen=True)
class View:
    """A box of a photo at a network's size.

    Only what the photo shows is resized, so a box far larger than the photo takes no memory.

    Attributes:
        size: height and width of the network's image.
        shown: the part of the photo that is in the image.
        place: where that part is in the image; white beyond.
    """

    size: Size
    shown: Box
    place: Box

    @classmethod
    def of_box(cls, box: Box, photo: Size, size: Size) -> Self:
        """Return the view of a box with the aspect ratio of the network's image.

        Args:
            box: the box; it shares at least one pixel with the photo.
            photo: height and width of the photo.
            size: height and width of the network's image.
        """
        shown = box.within(Box(0, 0, *photo))
        down, across = size[0] / box.height, size[1] / box.width
        top, left = round((shown.top - box.top) * down), round((shown.left - box.left) * across)
        bottom, right = round((shown.bottom - box.top) * down), round((shown.right - box.left) * across)
        top, left = min(top, size[0] - 1), min(left, size[1] - 1)
        return cls(size, shown, Box(top, left, max(bottom - top, 1), max(right - left, 1)))

    @classmethod
    def of_photo(cls, photo: Size, size: Size) -> Self:
        """Return the view of the whole photo, with white bars where its aspect ratio differs."""
        return cls.of_box(crop_box(Box(0, 0, *photo), size[0] / size[1], 0), photo, size)

    @classmethod
    def of_person(cls, person: Mask, margin: float, size: Size) -> Self | None:
        """Return the view of a person with a margin; None if there is nobody.

        Args:
            person: where the person is, bool ``(H, W)``.
            margin: the margin on every side, as a fraction of the person's longer side.
            size: height and width of the network's image.
        """
        around = person_box(person)
        if around is None:
            return None
        return cls.of_box(crop_box(around, size[0] / size[1], margin), person.shape, size)

    def image(self, pixels: RgbImage) -> RgbImage:
        """Return the network's image of the photo, uint8 ``(H, W, 3)``."""
        out = np.full((*self.size, 3), WHITE, np.uint8)
        out[self.place.slices] = resize_image(pixels[self.shown.slices], self._place_size)
        return out

    def labels(self, labels: LabelMap, background: int) -> LabelMap:
        """Return the photo's label map in the network's image, uint8 ``(H, W)``; background beyond."""
        out = np.full(self.size, background, np.uint8)
        out[self.place.slices] = resize_labels(labels[self.shown.slices], self._place_size)
        return out

    def within(self, size: Size) -> tuple[slice, slice]:
        """Return the rows and columns of the shown part in a map of the network's image.

        Args:
            size: height and width of the map, such as a network's coarse scores.
        """
        down, across = size[0] / self.size[0], size[1] / self.size[1]
        top, left = math.floor(self.place.top * down), math.floor(self.place.left * across)
        bottom, right = math.ceil(self.place.bottom * down), math.ceil(self.place.right * across)
        return slice(top, bottom), slice(left, right)

    @property
    def _place_size(self) -> Size:
        return self.place.height, self.place.width
