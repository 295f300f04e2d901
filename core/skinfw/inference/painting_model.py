"""What a photo is painted with: a network at the size that it was trained at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from skinfw.components.config import Size
from skinfw.data.segmentation import RgbImage
from skinfw.runtime.preparation import Preparation


class PaintingModel(Protocol):
    """A network for one prepared person, whether it comes from a checkpoint or an exported file."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input images, in the order of the condition's channels."""
        ...

    @property
    def size(self) -> Size:
        """Height and width of the training images in pixels."""
        ...

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of this many pixels."""
        ...

    @property
    def preparation(self) -> Preparation:
        """How the training photos were prepared."""
        ...

    def __call__(self, condition: Mapping[str, RgbImage]) -> RgbImage:
        """Paint one person.

        Args:
            condition: the input images by name, uint8 ``(H, W, C)``; 255 is 1.0. Masks are black-and-white
                images of three channels.

        Returns:
            the network's image, uint8 RGB ``(H, W, 3)``, or RGBA ``(H, W, 4)`` if it gives an alpha, how much
            of each pixel is skin; only what it inpaints in training means anything.

        Raises:
            NotFiniteError: the network returned NaN or infinity.
        """
        ...
