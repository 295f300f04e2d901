"""A canvas for soft-edged shapes that builds image and label map together, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""A float32 array over the pixels of a window, `(h, w)`, or a stack of them."""

CLASSES: tuple[str, ...] = (
    "background",
    "hair",
    "face",
    "skin",
    "top",
    "pants",
    "skirt",
    "dress",
    "outer",
    "footwear",
)
"""Names of the label map's classes, by label; the names are those of DeepFashion In-shop."""

LABELS: dict[str, int] = {name: label for label, name in enumerate(CLASSES)}


def bounded(values: Field, low: float, high: float) -> Field:
    """Values held between two limits; on small arrays several times faster than `np.clip`."""
    return np.minimum(np.maximum(values, low), high)


def _span(low: float, high: float, length: int) -> tuple[int, int]:
    start = min(max(int(low), 0), length)
    return start, min(max(int(high), start), length)


@dataclass(frozen=True)
class Window:
    """A rectangle of the canvas.

    Attributes:
        area: Slices of rows and columns.
        x: Body coordinate of each column's pixel centers, `(1, w)`.
        y: Body coordinate of each row's pixel centers, `(h, 1)`.
    """

    area: tuple[slice, slice]
    x: Field
    y: Field


class Canvas:
    """An image, float32 `(3, H, W)` in 0..255, and its label map, addressed in body units."""

    def __init__(self, size: tuple[int, int], origin: tuple[float, float], scale: float) -> None:
        """Start an empty canvas.

        Args:
            size: Height and width in pixels.
            origin: Pixel coordinates (x, y) of the body's origin; pixel (0, 0) has its center at
                (0, 0).
            scale: Pixels per body unit.
        """
        height, width = size
        self.origin = origin
        self.scale = scale
        self.columns: Field = ((np.arange(width) - origin[0]) / scale).astype(np.float32)
        self.rows: Field = ((np.arange(height) - origin[1]) / scale).astype(np.float32)
        self.colors: Field = np.empty((3, height, width), np.float32)
        self.labels: NDArray[np.uint8] = np.zeros((height, width), np.uint8)

    def window(self, left: float, top: float, right: float, bottom: float) -> Window:
        """The pixels of a rectangle given in body units; empty when it lies outside the image."""
        (x, y), scale = self.origin, self.scale
        height, width = self.labels.shape
        # One pixel of slack on each side, for the soft edge.
        x0, x1 = _span(left * scale + x - 1, right * scale + x + 2, width)
        y0, y1 = _span(top * scale + y - 1, bottom * scale + y + 2, height)
        return Window((slice(y0, y1), slice(x0, x1)), self.columns[None, x0:x1], self.rows[y0:y1, None])

    def coverage(self, distance: Field) -> Field:
        """How much of each pixel a shape covers, 0..1, from the signed distance to its edge."""
        cover = distance * np.float32(-self.scale)
        cover += np.float32(0.5)
        return bounded(cover, 0.0, 1.0)

    def paint(
        self,
        window: Window,
        distance: Field,
        color: Field,
        label: int | None,
        opacity: Field | float | None = None,
    ) -> None:
        """Draw a shape over the image.

        Args:
            window: Where the fields lie.
            distance: Signed distance to the shape's edge in body units, negative inside, `(h, w)`.
            color: Its color in 0..255, `(3, h, w)` or `(3, 1, 1)`.
            label: Its class; a pixel takes the label if the shape covers at least half of it. None for a mark
                that keeps the label below it.
            opacity: Opacity of the paint, 0..1; None for paint that covers.
        """
        cover = self.coverage(distance)
        if opacity is not None:
            cover *= np.asarray(opacity, np.float32)
        if label is not None:
            np.copyto(self.labels[window.area], np.uint8(label), where=cover >= 0.5)
        under = self.colors[:, window.area[0], window.area[1]]
        under += cover * (color - under)

    def shadow(
        self, window: Window, distance: Field, reach: float, strength: float, floor: bool = False
    ) -> None:
        """Softly darken the person under and around a shape; with `floor` also the backdrop."""
        dark = np.exp(np.maximum(distance, 0) * np.float32(-1.0 / reach))
        dark *= np.float32(-strength)
        dark += 1
        if not floor:
            dark[self.labels[window.area] == 0] = 1
        self.colors[:, window.area[0], window.area[1]] *= dark

    def image(self) -> NDArray[np.uint8]:
        """The finished image, uint8 RGB `(H, W, 3)`."""
        planes = np.clip(self.colors + 0.5, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
