"""Learned perceptual distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import Tensor

from skinfw.errors import UserError
from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics.config import LpipsConfig
from skinfw_plugins.metrics.per_picture import PerPictureMetric, region_means
from skinfw_plugins.networks.lpips_distance import LpipsDistance
from skinfw_plugins.shared.fields import LPIPS_LEAST_SIDE

_BACKBONES = {"alex": "AlexNet", "vgg": "VGG-16", "squeeze": "SqueezeNet 1.1"}


class LpipsMetric(PerPictureMetric[LpipsConfig]):
    """LPIPS of each picture, then the mean over the pictures; 0 is best (Zhang et al. 2018).

    Over the picture it is the mean of each layer; over the skin, the mean of the layers' maps, scaled up to
    the picture, over the skin's pixels.

    Raises:
        UserError: the network's weights are not available; the text names file, place and SHA-256.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def __init__(self, config: LpipsConfig, io: MetricIO) -> None:
        super().__init__(config, io)
        self._distance = LpipsDistance(config.net)

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the distance of each picture, ``(B,)``, at least 0.

        Raises:
            UserError: the pictures are too small for the network.
        """
        height, width = output.shape[-2:]
        least = LPIPS_LEAST_SIDE[self.config.net]
        if min(height, width) < least:
            raise UserError(
                f"lpips: pictures of {height}x{width} are too small for {_BACKBONES[self.config.net]}, which "
                f"needs {least} pixels a side; take larger pictures or leave the metric out"
            )
        distance = self._distance.to(output.device)
        if region is not None:
            return region_means(distance.per_pixel(output, target), region)
        return distance.per_picture(output, target)

    def card(self) -> Mapping[str, str]:
        """Return the network, its weights, and that pictures are not resized."""
        return {
            "backbone": f"{_BACKBONES[self.config.net]} (torchvision, ImageNet), LPIPS 0.1 heads",
            "resize": "none",
        }
