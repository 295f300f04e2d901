"""Base of the metrics that compare two sets of images by the features of a network."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from skinfw.interfaces import Metric, MetricIO
from skinfw.interfaces.metric import MetricConfigT
from skinfw_plugins.networks import inception


class Given(nn.Module):
    """Lets torchmetrics accept features instead of images.

    Args:
        num_features: number of features per image.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        """Return its input, ``(N, num_features)``."""
        return features


class DistributionMetric(Metric[MetricConfigT]):
    """A metric defined only over a set of images; it stores their features, not the images.

    Raises:
        UserError: the network's weights are not available; the message names file, location and SHA-256.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def __init__(self, config: MetricConfigT, io: MetricIO) -> None:
        super().__init__(config, io)
        self.network = self.extractor()
        self._painted: list[Tensor] = []
        self._true: list[Tensor] = []

    def extractor(self) -> nn.Module:
        """Return the network: of images, float32 RGB ``(B, 3, H, W)`` in [0, 1], the features ``(B, n)``."""
        return inception.extractor()

    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> None:
        """Add a batch. See `Metric.update`."""
        network = self.network.to(output.device)
        with torch.no_grad():
            for features, images in ((self._painted, output), (self._true, target)):
                features.append(network(images.float()).cpu())

    def added(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the features of the generated and of the real images."""
        return self._painted, self._true

    def add(self, added: tuple[list[Tensor], list[Tensor]]) -> None:
        """Add the features of another instance's images. See `Metric.add`."""
        self._painted += added[0]
        self._true += added[1]

    def compute(self) -> float:
        """Return the distance of the two sets; NaN for fewer than two images."""
        if sum(map(len, self._painted)) < 2:
            return float("nan")
        return self.distance(torch.cat(self._painted).double(), torch.cat(self._true).double())

    @abstractmethod
    def distance(self, painted: Tensor, true: Tensor) -> float:
        """Return the distance of two sets of features, float64 ``(N, n)`` each."""

    @property
    def images(self) -> int:
        """The number of images added."""
        return sum(map(len, self._painted))
