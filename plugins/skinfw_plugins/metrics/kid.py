"""Kernel inception distance."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor
from torchmetrics.image.kid import KernelInceptionDistance

from skinfw_plugins.metrics.config import KidConfig
from skinfw_plugins.metrics.distribution import DistributionMetric, Given
from skinfw_plugins.networks import inception


class KidMetric(DistributionMetric[KidConfig]):
    """Squared maximum mean discrepancy of the features of generated and real images.

    The kernel is ``(x y / n + 1)**3`` on the n features of Inception-v3's layer pool3, the estimate unbiased
    (Binkowski et al. 2018, section 4): few images make it uncertain, not larger. 0 is best; by chance it may
    be negative. With more images than ``subset_size`` it is the mean over random subsets, the same ones each
    time.
    """

    def distance(self, painted: Tensor, true: Tensor) -> float:
        """Return the discrepancy of two sets of features, float64 ``(N, n)`` each."""
        size = min(self.config.subset_size, len(painted))
        subsets = self.config.subsets if len(painted) > size else 1
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

    def metadata(self) -> Mapping[str, str]:
        """Return the network, how images are resized, and how many each estimate uses."""
        size = min(self.config.subset_size, self.images)
        subsets = self.config.subsets if self.images > size else 1
        return {**inception.METADATA, "estimate": f"mean of {subsets} of {size} images each"}
