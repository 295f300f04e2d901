"""How a try-on system may have fitted a photo into its result: the known geometries, and undoing them.

The systems resize a photo, crop its center to the shape of their results, or pad it. They round box sides
down, as integer arithmetic in Python does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import WHITE
from skinfw.data.resize import resize_image, resize_labels
from skinfw.data.segmentation import Mask, RgbImage, Segmentation

Fit = Literal["scale", "stretch", "crop", "pad"]
FITS: tuple[Fit, ...] = get_args(Fit)
"""Resized at its own shape; stretched to the result's; cropped to it around the center; padded to it."""

PAD_LEVELS = (255, 128, 0)
"""Gray levels of the borders of padded results: white, gray, black."""

_PAD_TOLERANCE = 16
_PAD_FRACTION = 0.95
"""Fraction of a border that must be within the tolerance of its level: a lossy file blurs the edge of it."""


@dataclass(frozen=True)
class Box:
    """A box of whole pixels: ``left <= x < right``, ``top <= y < bottom``."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns of the box."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @classmethod
    def whole(cls, size: Size) -> Box:
        """Return the box of a whole image."""
        return cls(0, 0, size[1], size[0])

    @classmethod
    def centered(cls, size: Size, within: Size) -> Box:
        """Return the box of a size in the middle of an image; an odd margin is smaller at the top left."""
        top, left = (within[0] - size[0]) // 2, (within[1] - size[1]) // 2
        return cls(left, top, left + size[1], top + size[0])


@dataclass(frozen=True)
class Geometry:
    """Where a box of a photo lies in a result.

    Attributes:
        fit: how the photo was fitted.
        source: the part of the photo that the result shows.
        target: where the result shows it.
        size: height and width of the result.
    """

    fit: Fit
    source: Box
    target: Box
    size: Size

    @property
    def shown(self) -> Mask:
        """Where the result shows the photo, bool ``(H, W)``: everywhere but on padding."""
        shown = np.zeros(self.size, bool)
        shown[self.target.slices] = True
        return shown

    def image(self, photo: RgbImage) -> RgbImage:
        """Return the photo as the result would show it, uint8 RGB ``(H, W, 3)``; padding is white.

        A photo whose box already has the size of the target keeps its pixels, bit for bit.
        """
        placed = np.full((*self.size, 3), WHITE, np.uint8)
        placed[self.target.slices] = resize_image(photo[self.source.slices], self.target.size)
        return placed

    def segmentation(self, found: Segmentation) -> Segmentation:
        """Return a segmentation of the photo on the result's pixels; padding is background."""
        background = found.regions.get("background", found.classes)[0]
        labels = np.full(self.size, found.classes.index(background), np.uint8)
        labels[self.target.slices] = resize_labels(found.labels[self.source.slices], self.target.size)
        return Segmentation(labels, found.classes, found.regions)

    def keypoints(self, pose: Keypoints) -> Keypoints:
        """Return a pose in the photo in pixels of the result."""
        within = pose.mapped(1, 1, -self.source.left, -self.source.top)
        return within.resized(self.source.size, self.target.size).mapped(
            1, 1, self.target.left, self.target.top
        )


def geometries(person: Size, result: RgbImage) -> Iterator[Geometry]:
    """Yield every way in which a photo may have been fitted into a result.

    Padding counts only if the borders are white, gray or black.

    Args:
        person: height and width of the photo.
        result: the result, uint8 RGB ``(H, W, 3)``.
    """
    size = (result.shape[0], result.shape[1])
    source, target = Box.whole(person), Box.whole(size)
    inner = _largest(person, size)  # the photo's shape in the result
    if size[0] - inner[0] <= 1 and size[1] - inner[1] <= 1:  # one shape but for rounding
        yield Geometry("scale", source, target, size)
        return
    yield Geometry("stretch", source, target, size)
    yield Geometry("crop", Box.centered(_largest(size, person), person), target, size)
    padded = Geometry("pad", source, Box.centered(inner, size), size)
    if _is_padding(result[~padded.shown]):
        yield padded


def _largest(shape: Size, within: Size) -> Size:
    """Return the largest size of a shape that fits into an image, rounded down."""
    if shape[1] * within[0] > shape[0] * within[1]:  # wider than the image
        return max(1, within[1] * shape[0] // shape[1]), within[1]
    return within[0], max(1, within[0] * shape[1] // shape[0])


def _is_padding(border: RgbImage) -> bool:
    """Return whether pixels ``(N, 3)`` are all of one of the levels of padding."""
    levels = border.astype(np.int16)
    return any(
        float((np.abs(levels - level) <= _PAD_TOLERANCE).all(axis=1).mean()) >= _PAD_FRACTION
        for level in PAD_LEVELS
    )
