"""Structural dissimilarity."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import Loss, Step
from skinfw_plugins.losses.config import SsimConfig
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.shared.similarity import inside, similarity_maps


class SsimLoss(Loss[SsimConfig]):
    """One less the structural similarity (Wang et al. 2004), as the metric of this name measures it.

    Over the picture it is the mean of all windows that lie wholly inside; over the skin, the mean of the
    windows around the skin's pixels.
    """

    @in_float32
    def generator_loss(self, step: Step) -> Tensor:
        """Return the dissimilarity, a scalar in [0, 2]; 0 where the region is empty."""
        similarity, _ = similarity_maps(step.output, step.target)
        if self.config.region == "skin":
            return self.region_mean(1 - similarity, step).float()
        return (1 - inside(similarity)).mean().float()
