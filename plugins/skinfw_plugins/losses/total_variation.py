"""Smoothness of what is painted."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import TotalVariationConfig

_DIMS = (-1, -2)
"""Along the rows, and along the columns."""


class TotalVariationLoss(Loss[TotalVariationConfig]):
    """Mean absolute difference of neighboring pixels (Rudin et al. 1992, in its anisotropic form).

    It looks at the output alone and draws it to one color, so a small weight is enough: it takes away
    noise, and too much of it texture. On the skin, pairs count whose pixels are both skin.
    """

    compares: ClassVar[bool] = False

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean over pairs side by side plus that over pairs one below the other, in [0, 2]."""
        return self._mean(context, _DIMS[0]) + self._mean(context, _DIMS[1])

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return the pairs side by side and those one below the other, both of skin, ``(2,)``."""
        if region is None:
            return None
        return torch.stack([_pairs(region, dim).sum() for dim in _DIMS])

    def _mean(self, context: LossContext, dim: int) -> Tensor:
        steps = context.output.float().diff(dim=dim).abs()
        region = self.region(context)
        if region is None:
            return steps.mean()
        count = self.denominator(context)[_DIMS.index(dim)]
        return (steps * _pairs(region, dim)).sum() / (steps.shape[1] * count)


def _pairs(region: Tensor, dim: int) -> Tensor:
    """Return where a pixel and the next one along a dimension are both of the region."""
    length = region.shape[dim]
    return region.narrow(dim, 0, length - 1) * region.narrow(dim, 1, length - 1)
