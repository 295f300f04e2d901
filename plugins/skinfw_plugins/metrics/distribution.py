"""What metrics share that compare two sets of pictures by the features of a network."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from skinfw.interfaces import Metric, MetricIO
from skinfw.interfaces.metric import MetricConfigT
from skinfw_plugins.networks import inception


class Given(nn.Module):
    """Lets torchmetrics take features in place of pictures.

    Args:
        num_features: how many there are of a picture.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        """Return what was given, ``(N, num_features)``."""
        return features


class DistributionMetric(Metric[MetricConfigT]):
    """A metric that is defined over a set of pictures only; it holds their features, not the pictures.

    Raises:
        UserError: the network's weights are not available; the text names file, place and SHA-256.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def __init__(self, config: MetricConfigT, io: MetricIO) -> None:
        super().__init__(config, io)
        self.network = inception.extractor()
        self._painted: list[Tensor] = []
        self._true: list[Tensor] = []

    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> None:
        """Take in a batch. See `Metric.update`."""
        network = self.network.to(output.device)
        with torch.no_grad():
            for features, pictures in ((self._painted, output), (self._true, target)):
                features.append(network(pictures.float()).cpu())

    def compute(self) -> float:
        """Return the distance of the two sets; NaN for fewer than two pictures."""
        if sum(map(len, self._painted)) < 2:
            return float("nan")
        return self.distance(torch.cat(self._painted).double(), torch.cat(self._true).double())

    @abstractmethod
    def distance(self, painted: Tensor, true: Tensor) -> float:
        """Return the distance of two sets of features, float64 ``(N, n)`` each."""

    @property
    def pictures(self) -> int:
        """How many pictures were taken in."""
        return sum(map(len, self._painted))
