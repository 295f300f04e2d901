"""Structural dissimilarity."""

from __future__ import annotations

from torch import Tensor

from skinfw.components.measured_region import WHOLE
from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import SsimConfig
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.shared.similarity import inside, similarity_maps


class SsimLoss(Loss[SsimConfig]):
    """1 minus the structural similarity (Wang et al. 2004), as in the metric of the same name.

    Over the image it is the mean of all windows that lie entirely inside; over a region, the mean of
    the windows around its pixels.
    """

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the dissimilarity, a scalar in [0, 2]; 0 where the region is empty."""
        similarity, _ = similarity_maps(context.output, context.target)
        if self.config.region != WHOLE:
            return self.region_mean(1 - similarity, context).float()
        return (1 - inside(similarity)).mean().float()
