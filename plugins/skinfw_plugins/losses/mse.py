"""Mean squared difference."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import MseConfig


class MseLoss(Loss[MseConfig]):
    """Mean of ``(output - target)**2`` over the region's pixels and channels (report, section 5.2.1.4)."""

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean squared difference, a scalar in [0, 1]; 0 where the region is empty."""
        return self.region_mean((context.output - context.target).square(), context)
