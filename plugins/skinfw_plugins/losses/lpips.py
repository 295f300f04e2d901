"""Learned perceptual distance."""

from __future__ import annotations

from torch import Tensor

from skinfw.components.measured_region import WHOLE
from skinfw.interfaces import Loss, LossContext, LossIO
from skinfw_plugins.losses.config import LpipsConfig
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.networks.lpips_distance import LpipsDistance


class LpipsLoss(Loss[LpipsConfig]):
    """LPIPS (Zhang et al. 2018), a distance close to human perception.

    Over the image it is the mean of each layer; over a region, the mean of the layers' maps, upscaled to the
    image, over its pixels. The network is never trained.

    Args:
        config: which network.
        io: the size of the images.

    Raises:
        UserError: the network's weights are not available; the message names file, location and SHA-256.
    """

    def __init__(self, config: LpipsConfig, io: LossIO) -> None:
        super().__init__(config, io)
        self.distance = LpipsDistance(config.net)

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the distance, a scalar of at least 0; 0 where the region is empty."""
        if self.config.region != WHOLE:
            return self.region_mean(self.distance.per_pixel(context.output, context.target), context)
        return self.distance.per_image(context.output, context.target).mean()
