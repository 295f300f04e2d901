"""Smoothness of the output."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import TotalVariationConfig

_DIMS = (-1, -2)
"""Dimensions of the columns and rows."""


class TotalVariationLoss(Loss[TotalVariationConfig]):
    """Mean absolute difference of neighboring pixels (Rudin et al. 1992, in its anisotropic form).

    It uses only the output and pulls it to one color, so a small weight is enough: it removes noise, and with
    too large a weight also texture. In a region, only pairs with both pixels inside count.
    """

    compares: ClassVar[bool] = False

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean over horizontal pairs plus the mean over vertical pairs, in [0, 2]."""
        return self._mean(context, _DIMS[0]) + self._mean(context, _DIMS[1])

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return the numbers of horizontal and vertical pairs inside the region, ``(2,)``."""
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
    """Return where a pixel and the next one along a dimension are both in the region."""
    length = region.shape[dim]
    return region.narrow(dim, 0, length - 1) * region.narrow(dim, 1, length - 1)
