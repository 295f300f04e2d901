"""A mean absolute difference that is smooth at 0."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import CharbonnierConfig
from skinfw_plugins.losses.precision import in_float32


class CharbonnierLoss(Loss[CharbonnierConfig]):
    """Mean of ``sqrt((output - target)**2 + eps**2)`` over the region (Lai et al. 2017, section 3.2).

    Far from 0 it is the mean absolute difference, near 0 a squared one; an image without error costs eps.
    """

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean, a scalar of about [0, 1]; 0 where the region is empty."""
        squares = (context.output - context.target).square() + self.config.eps**2
        return self.region_mean(squares.sqrt(), context)
