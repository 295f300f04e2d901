"""Images in the sizes that the networks of others accept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage


@dataclass(frozen=True)
class Frame:
    """Where an image lies in the frame that a network gets: at the top left, padded by reflection.

    Attributes:
        own: the image's own height and width in pixels.
        fitted: its height and width in the frame.
        canvas: height and width of the frame.
    """

    own: Size
    fitted: Size
    canvas: Size

    @classmethod
    def of(cls, own: Size, canvas: Size | None, multiple_of: int) -> Self:
        """Return the frame of an image, which keeps its aspect ratio.

        Args:
            own: its height and width in pixels.
            canvas: the size at which the network works; None: the image's own, padded.
            multiple_of: to a multiple of this many pixels.

        Example:
            >>> Frame.of((30, 20), None, 8).canvas
            (32, 24)
            >>> Frame.of((30, 20), (60, 60), 8).fitted
            (60, 40)
        """
        height, width = own
        if canvas is None:
            step = multiple_of
            return cls(own, own, (-(-height // step) * step, -(-width // step) * step))
        factor = min(canvas[0] / height, canvas[1] / width)
        fitted = max(1, round(height * factor)), max(1, round(width * factor))
        return cls(own, (min(fitted[0], canvas[0]), min(fitted[1], canvas[1])), canvas)

    def put(self, image: NDArray[np.uint8], *, mask: bool = False) -> NDArray[np.uint8]:
        """Return an image, ``(H, W, C)``, in the frame; a mask stays one of 0 and 255."""
        if self.fitted != self.own:
            image = resize_image(image, self.fitted).reshape(*self.fitted, image.shape[2])
            if mask:  # whatever shows anything of the hole is part of it
                image = np.where(image > 0, np.uint8(255), np.uint8(0))
        rows, columns = (side - own for side, own in zip(self.canvas, self.fitted, strict=True))
        return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="symmetric")

    def take(self, image: RgbImage) -> RgbImage:
        """Return what a network painted into the frame, ``(h, w, 3)``, in the image's own size."""
        if image.shape[:2] != self.canvas:
            image = resize_image(image, self.canvas)
        return resize_image(np.ascontiguousarray(image[: self.fitted[0], : self.fitted[1]]), self.own)
