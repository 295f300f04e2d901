"""Boxes in an image: the crop that a network sees, and what lies beyond the image's border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

ValueT = TypeVar("ValueT", np.uint8, np.bool_)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; it may extend beyond the image.

    Attributes:
        top: first row, left: first column, height and width: number of rows and columns.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """The row after the last one."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The column after the last one."""
        return self.left + self.width

    def around(self, other: Box) -> Box:
        """Return the smallest box that contains both.

        Example:
            >>> Box(0, 0, 2, 2).around(Box(3, 1, 1, 4))
            Box(top=0, left=0, height=4, width=5)
        """
        top, left = min(self.top, other.top), min(self.left, other.left)
        return Box(top, left, max(self.bottom, other.bottom) - top, max(self.right, other.right) - left)

    def within(self, other: Box) -> Box:
        """Return what both have in common; they share at least one pixel.

        Example:
            >>> Box(0, 0, 4, 4).within(Box(3, 1, 5, 2))
            Box(top=3, left=1, height=1, width=2)
        """
        top, left = max(self.top, other.top), max(self.left, other.left)
        return Box(top, left, min(self.bottom, other.bottom) - top, min(self.right, other.right) - left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns of a box inside an image, to index the image with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around the set pixels of a mask, bool ``(H, W)``, or None if none is set.

    Example:
        >>> bounding_box(np.array([[False, False], [False, True]]))
        Box(top=1, left=1, height=1, width=1)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return Box(top, left, int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left)


def crop_box(person: Box, aspect: float, margin: float) -> Box:
    """Return the box of a crop: the person centered, with a margin, at an aspect ratio.

    Args:
        person: the box around the person.
        aspect: height divided by width.
        margin: margin on every side, as a fraction of the person's longer side.
    """
    room = margin * max(person.height, person.width)
    height, width = person.height + 2 * room, person.width + 2 * room
    height, width = max(height, width * aspect), max(width, height / aspect)
    whole_height, whole_width = max(1, round(height)), max(1, round(width))
    return Box(
        top=round(person.top + (person.height - whole_height) / 2),
        left=round(person.left + (person.width - whole_width) / 2),
        height=whole_height,
        width=whole_width,
    )


def cut(values: NDArray[ValueT], box: Box, fill: int) -> NDArray[ValueT]:
    """Return the box of an image, mask or label map ``(H, W, ...)``, padded outside the image."""
    out = np.full((box.height, box.width, *values.shape[2:]), fill, values.dtype)
    top, left = max(box.top, 0), max(box.left, 0)
    inside = values[top : max(box.bottom, 0), left : max(box.right, 0)]
    out[
        top - box.top : top - box.top + inside.shape[0], left - box.left : left - box.left + inside.shape[1]
    ] = inside
    return out
