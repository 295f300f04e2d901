"""Learned perceptual distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import Tensor

from skinfw.errors import UserError
from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics.config import LpipsConfig
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means
from skinfw_plugins.networks.lpips_distance import shared_distance
from skinfw_plugins.shared.fields import LPIPS_MIN_SIDE

_BACKBONES = {"alex": "AlexNet", "vgg": "VGG-16", "squeeze": "SqueezeNet 1.1"}


class LpipsMetric(PerImageMetric[LpipsConfig]):
    """LPIPS of each image, then the mean over the images; 0 is best (Zhang et al. 2018).

    Over the image it is the mean of each layer; over the skin, the mean of the layers' maps, upscaled to the
    image, over the skin's pixels.

    Raises:
        UserError: the network's weights are not available; the message names file, location and SHA-256.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def __init__(self, config: LpipsConfig, io: MetricIO) -> None:
        super().__init__(config, io)
        self._distance = shared_distance(config.net)

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the distance of each image, ``(B,)``, at least 0.

        Raises:
            UserError: the images are too small for the network.
        """
        height, width = output.shape[-2:]
        least = LPIPS_MIN_SIDE[self.config.net]
        if min(height, width) < least:
            raise UserError(
                f"lpips: images of {height}x{width} are too small for {_BACKBONES[self.config.net]}, which "
                f"needs {least} pixels per side; use larger images or remove the metric"
            )
        distance = self._distance.to(output.device)
        if region is not None:
            return region_means(distance.per_pixel(output, target), region)
        return distance.per_image(output, target)

    def metadata(self) -> Mapping[str, str]:
        """Return the network, its weights, and that images are not resized."""
        return {
            "backbone": f"{_BACKBONES[self.config.net]} (torchvision, ImageNet), LPIPS 0.1 heads",
            "resize": "none",
        }
