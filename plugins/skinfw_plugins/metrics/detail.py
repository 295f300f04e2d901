"""How much fine structure inpainted skin has."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from skinfw_plugins.metrics.config import DetailConfig
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means

_ROUNDING = 1e-12
"""What float32 leaves of the energy of a flat image is less; 8 bits have no energy as small in a photo."""

_BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


class DetailMetric(PerImageMetric[DetailConfig]):
    """Energy of the highest octave of the output over that of the target, mean over the images; 1 is right.

    The highest octave is an image minus its low-pass by the binomial filter (1, 4, 6, 4, 1) / 16, as in the
    first level of a Laplacian pyramid (Burt and Adelson 1983); the filter sees the region alone. Its energy
    is the mean of its square over the region's pixels and channels. A ratio above 1 counts as its inverse:
    twice the true energy is as wrong as half of it.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the ratio of each image, ``(B,)`` in [0, 1]."""
        ratio = detail_ratio(output, target, region)
        return torch.where(ratio > 1, 1 / ratio, ratio)


def detail_ratio(output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
    """Return the energy of the highest octave of the output over that of the target, ``(B,)``.

    It is 1 where neither has any, and NaN where the region is empty. See `DetailMetric`.
    """
    made, true = (_energy(image, region) for image in (output, target))
    return torch.where((made == 0) & (true == 0), torch.ones_like(made), made / true)


def _energy(images: Tensor, region: Tensor | None) -> Tensor:
    """Return the energy of the highest octave of each image, ``(B,)``; exactly 0 for a flat image."""
    energy = region_means(highest_octave(images, region) ** 2, region)
    return torch.where(energy < _ROUNDING, torch.zeros_like(energy), energy)


def highest_octave(images: Tensor, region: Tensor | None) -> Tensor:
    """Return images minus their low-pass within a region, float ``(B, C, H, W)``.

    Args:
        images: float ``(B, C, H, W)``.
        region: its mask, ``(B, 1, H, W)`` in {0, 1}, or None for the whole image.

    Example:
        >>> flat = torch.full((1, 1, 4, 4), 0.5)
        >>> highest_octave(flat, None).abs().max().item() < 1e-6
        True
    """
    mask = torch.ones_like(images[:, :1]) if region is None else region.to(images.dtype)
    low = _low_pass(images * mask) / _low_pass(mask).clamp_min(1e-6)
    return (images - low) * mask


def _low_pass(images: Tensor) -> Tensor:
    weights = images.new_tensor(_BINOMIAL)
    kernel = (weights[:, None] * weights).expand(images.shape[1], 1, 5, 5)
    return conv2d(images, kernel, padding=2, groups=images.shape[1])
