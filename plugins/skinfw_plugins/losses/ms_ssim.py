"""Structural dissimilarity on several scales."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import MsSsimConfig
from skinfw_plugins.losses.moments import mean_over_images
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.shared.similarity import multiscale_similarity


class MsSsimLoss(Loss[MsSsimConfig]):
    """1 minus the multi-scale structural similarity (Wang et al. 2003), as in the metric of the same name.

    Contrast and structure are compared on each scale, luminance on the coarsest one only; each scale halves
    the image by averaging. With fewer than five scales, the exponents are normalized to add up to 1. Over a
    region, windows are weighted by how much of it is at their center.
    """

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean dissimilarity of the images, a scalar in [0, 1]; an empty region counts as 0."""
        region = self.region(context)
        similarity = multiscale_similarity(context.output, context.target, self.config.scales, region)
        known = None if region is None else region.flatten(1).any(dim=1)
        return mean_over_images(1 - similarity, known).float()
