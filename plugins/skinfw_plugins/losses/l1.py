"""Mean absolute difference."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import L1Config


class L1Loss(Loss[L1Config]):
    """Mean of ``|output - target|`` over the region's pixels and channels (the report's section 5.2.3.3)."""

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean absolute difference, a scalar in [0, 1]; 0 where the region is empty."""
        return self.region_mean((context.output - context.target).abs(), context)
