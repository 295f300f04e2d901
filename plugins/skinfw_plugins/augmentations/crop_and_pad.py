"""Cropping and padding: a window of the image, resized to the image's size."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.components.config import Size
from skinfw_plugins.augmentations.config import CropConfig, PadConfig
from skinfw_plugins.augmentations.geometry import Geometric
from skinfw_plugins.augmentations.per_sample import drawn


def window_matrices(sides: Tensor, size: Size) -> Tensor:
    """Draw windows of the given sides, and return the maps that make them the whole image.

    Args:
        sides: a window's side as a fraction of the image's, float ``(N,)``; above 1, a window holds the whole
            image and background.
        size: height and width of the images in pixels.

    Returns:
        float32 ``(N, 3, 3)``, in pixels, with pixel centers at integers.
    """
    matrices = torch.eye(3).repeat(len(sides), 1, 1)
    for axis, length in enumerate((size[1], size[0])):
        # pixels extend half a pixel beyond their centers: the image begins at -0.5
        begin = drawn(len(sides), 0, 1) * (1 - sides) * length - 0.5
        matrices[:, axis, axis] = 1 / sides
        matrices[:, axis, 2] = -begin / sides - 0.5
    return matrices


class CropAugmentation(Geometric[CropConfig]):
    """Enlarges a crop to the size of the image."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return window_matrices(drawn(count, *self.config.side), size)


class PadAugmentation(Geometric[PadConfig]):
    """Shrinks the image and places it randomly on background."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return window_matrices(1 / drawn(count, *self.config.side), size)
