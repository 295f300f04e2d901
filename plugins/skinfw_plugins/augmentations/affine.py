"""Scaling, rotating, shifting and shearing, separately or at once."""

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
    """Draw affine maps about the image center: shear first, then scale and rotation, then shift.

    Args:
        count: number of maps.
        size: height and width of the images in pixels.
        scale: minimum and maximum factor of width and height.
        degrees: maximum rotation, either way.
        fraction: maximum shift along each axis, as a fraction of the image's side.
        shear: maximum shear of each axis in degrees.

    Returns:
        float32 ``(count, 3, 3)``, in pixels, with pixel centers at integers.
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
    """Scales the person about the image center."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return affine_matrices(count, size, scale=self.config.scale)


class RotateAugmentation(Geometric[RotateConfig]):
    """Rotates the person about the image center."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return affine_matrices(count, size, degrees=self.config.degrees)


class TranslateAugmentation(Geometric[TranslateConfig]):
    """Shifts the person, also by fractions of a pixel."""

    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps; see `Geometric.matrices`."""
        return affine_matrices(count, size, fraction=self.config.fraction)


class AffineAugmentation(Geometric[AffineConfig]):
    """Shears, scales, rotates and shifts the person in one step."""

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
