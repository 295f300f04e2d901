"""Mean absolute difference."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import Loss, Step
from skinfw_plugins.losses.config import L1Config


class L1Loss(Loss[L1Config]):
    """Mean of ``|output - target|`` over the region's pixels and channels (the report's section 5.2.3.3)."""

    def generator_loss(self, step: Step) -> Tensor:
        """Return the mean absolute difference, a scalar in [0, 1]; 0 where the region is empty."""
        return self.region_mean((step.output - step.target).abs(), step)
