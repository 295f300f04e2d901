"""Scaling, turning, shifting and shearing, one by one or all at once."""

from __future__ import annotations

import torch
from kornia.geometry.transform import get_affine_matrix2d
from torch import Tensor

from skinfw.components.config import Size
from skinfw_plugins.augmentations.config import AffineConfig, RotateConfig, ScaleConfig, TranslateConfig
from skinfw_plugins.augmentations.geometry import Geometric
from skinfw_plugins.augmentations.per_sample import drawn


def affine_matrices(
    count: int,
    size: Size,
    *,
    scale: tuple[float, float] = (1.0, 1.0),
    degrees: float = 0.0,
    fraction: float = 0.0,
    shear: float = 0.0,
) -> Tensor:
    """Draw affine maps about the middle of the image: sheared first, then scaled and turned, then shifted.

    Args:
        count: number of maps.
        size: height and width of the images in pixels.
        scale: least and greatest factor of width and height.
        degrees: greatest angle of the turn, either way.
        fraction: greatest shift along each axis, as a fraction of the image's side.
        shear: greatest angle in degrees by which each axis is sheared.

    Returns:
        float32 ``(count, 3, 3)``, in pixels whose centers are whole numbers.
    """
    height, width = size
    factor = drawn(count, *scale)
    shears = [torch.deg2rad(drawn(count, -shear, shear)) for _ in range(2)]
    shifts = [drawn(count, -fraction, fraction) * side for side in (width, height)]
    matrices: Tensor = get_affine_matrix2d(
        translations=torch.stack(shifts, dim=1),
        center=torch.tensor([(width - 1) / 2, (height - 1) / 2]).expand(count, 2),
        scale=torch.stack([factor, factor], dim=1),
        angle=drawn(count, -degrees, degrees),
        sx=shears[0],
        sy=shears[1],
    )
    return matrices


class ScaleAugmentation(Geometric[ScaleConfig]):
    """Makes the person larger or smaller, about the middle of the image."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return affine_matrices(count, size, scale=self.config.scale)


class RotateAugmentation(Geometric[RotateConfig]):
    """Turns the person about the middle of the image."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return affine_matrices(count, size, degrees=self.config.degrees)


class TranslateAugmentation(Geometric[TranslateConfig]):
    """Shifts the person, by parts of a pixel too."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return affine_matrices(count, size, fraction=self.config.fraction)


class AffineAugmentation(Geometric[AffineConfig]):
    """Shears, scales, turns and shifts the person at once."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        config = self.config
        return affine_matrices(
            count,
            size,
            scale=config.scale,
            degrees=config.degrees,
            fraction=config.fraction,
            shear=config.shear,
        )
