"""Base of the built-in metrics: one value per image, and their mean."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from skinfw.interfaces import Metric, MetricIO
from skinfw.interfaces.metric import MetricConfigT


class PerImageMetric(Metric[MetricConfigT]):
    """A metric whose value over a set is the mean over its images, as in the report.

    Images without the region do not count.
    """

    def __init__(self, config: MetricConfigT, io: MetricIO) -> None:
        super().__init__(config, io)
        self._sums: list[tuple[float, int]] = []

    @abstractmethod
    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the value of each image over ``io.region``, ``(B,)``; see `Metric.update`."""

    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Add a batch and return the value of each image. See `Metric.update`."""
        with torch.no_grad():
            values = self.values(output.float(), target.float(), region)
        known = values[~values.isnan()]
        self._sums.append((float(known.double().sum()), len(known)))
        return values

    def added(self) -> list[tuple[float, int]]:
        """Return sum and number of the values of each batch."""
        return self._sums

    def add(self, added: list[tuple[float, int]]) -> None:
        """Add the batches of another instance. See `Metric.add`."""
        self._sums += added

    def compute(self) -> float:
        """Return the mean over all images; NaN if none contained the region."""
        total, count = 0.0, 0
        for each, images in self._sums:
            total, count = total + each, count + images
        return total / count if count else float("nan")


def region_means(values: Tensor, region: Tensor | None) -> Tensor:
    """Return the mean of per-pixel values over a region, for each image.

    Args:
        values: ``(B, C, H, W)``.
        region: its mask, ``(B, 1, H, W)`` in {0, 1}, or None for the whole image.

    Returns:
        ``(B,)``; NaN where the region is empty.

    Example:
        >>> skin = torch.tensor([[[[1.0, 0.0]]]])
        >>> region_means(torch.tensor([[[[0.25, 0.75]]]]), skin).tolist()
        [0.25]
    """
    if region is None:
        return values.mean(dim=(1, 2, 3))
    total = (values * region).sum(dim=(1, 2, 3))
    return total / (region.sum(dim=(1, 2, 3)) * values.shape[1])
