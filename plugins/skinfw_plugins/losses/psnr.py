"""The peak signal-to-noise ratio as a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import PsnrConfig
from skinfw_plugins.losses.moments import region_means, to_lab
from skinfw_plugins.losses.precision import in_float32

USUAL_LIGHTNESS, LIGHTNESS_DEVIATION = 56.0, 11.0
"""Mean and standard deviation of the L* of photographed skin, in 365 street photos."""

MAX_WEIGHT = 8.0
"""Maximum weight of an image."""


class PsnrLoss(Loss[PsnrConfig]):
    """``10 * log10(MSE + floor)`` of each image's region in dB, then the mean: the metric `psnr`, negated.

    Unlike `mse` it weights all images equally. A large error, such as a wrong color of the whole region,
    counts less than in a squared difference, and an image with a small region as much as one with a large
    one. With ``balance``, images of unusually dark and light skin count more.
    """

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return how many images contain the region."""
        return None if region is None else region.flatten(1).any(dim=1).sum().to(region.dtype)

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean in dB, a scalar of at most 0; 0 if no image contains the region."""
        squares, region = (context.output - context.target).square(), self.region(context)
        if region is None:
            decibels = 10 * (squares.mean(dim=(1, 2, 3)) + self.config.floor).log10()
            return (decibels * self._weights(context.target, torch.ones_like(squares[:, :1]))).mean()
        pixels = region.sum(dim=(1, 2, 3))
        errors = (squares * region).sum(dim=(1, 2, 3))
        decibels = 10 * (errors / (3 * pixels).clamp(min=1) + self.config.floor).log10()
        weights = self._weights(context.target, region) * (pixels > 0)
        return (decibels * weights).sum() / self.denominator(context)

    def _weights(self, target: Tensor, region: Tensor) -> Tensor:
        """Return the weight of each image, ``(B,)``."""
        if not self.config.balance:
            return torch.ones_like(target[:, 0, 0, 0])
        lightness = region_means(to_lab(target), region)[:, 0] * 100
        away = (lightness - USUAL_LIGHTNESS) / LIGHTNESS_DEVIATION
        return (self.config.balance * away.square() / 2).exp().clamp(max=MAX_WEIGHT)
