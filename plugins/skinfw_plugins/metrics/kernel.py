"""The distance of two sets of features by a kernel, which few images make uncertain, not larger."""

from __future__ import annotations

import warnings
from typing import TypeVar

import torch
from torch import Tensor
from torchmetrics.image.kid import KernelInceptionDistance

from skinfw_plugins.metrics.config import KernelConfig
from skinfw_plugins.metrics.distribution import DistributionMetric, Given

KernelConfigT = TypeVar("KernelConfigT", bound=KernelConfig)


class KernelMetric(DistributionMetric[KernelConfigT]):
    """Squared maximum mean discrepancy of the features of generated and real images, with a cubic kernel."""

    def distance(self, painted: Tensor, true: Tensor) -> float:
        """Return the discrepancy of two sets of features, float64 ``(N, n)`` each."""
        size, subsets = self._subsets(len(painted))
        with warnings.catch_warnings():
            # it is known that features stay in memory
            warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance`")
            # the evaluator handles several processes
            metric = KernelInceptionDistance(
                feature=Given(painted.shape[1]), subsets=subsets, subset_size=size, sync_on_compute=False
            )
        metric.update(true, real=True)
        metric.update(painted, real=False)
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would seed accelerators too, and fork_rng restores only the CPU's generator
            torch.default_generator.manual_seed(0)
            return float(metric.compute()[0])

    def estimate(self) -> str:
        """Return how many images each estimate uses, for the metadata."""
        size, subsets = self._subsets(self.images)
        return f"mean of {subsets} of {size} images each"

    def _subsets(self, images: int) -> tuple[int, int]:
        """Return the images of a subset, and the number of subsets."""
        size = min(self.config.subset_size, images)
        return size, self.config.subsets if images > size else 1
