"""Fréchet inception distance."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torchmetrics.image.fid import FrechetInceptionDistance

from skinfw_plugins.metrics.config import FidConfig
from skinfw_plugins.metrics.distribution import DistributionMetric, Given
from skinfw_plugins.networks import inception

ENOUGH = inception.FEATURES
"""Images below which the covariance of the features has no full rank."""


class FidMetric(DistributionMetric[FidConfig]):
    """Distance of two normal distributions fitted to the features of generated and real images.

    ``|m1 - m2|**2 + tr(S1 + S2 - 2 * (S1 S2)**0.5)`` of the means and covariances of Inception-v3's layer
    pool3 (Heusel et al. 2017, section 4; the report's section 6.1.2); 0 is best. It is biased: fewer images
    give a larger value, so values for different numbers of images are not comparable, and below 2048 images
    KID is more reliable.
    """

    def distance(self, painted: Tensor, true: Tensor) -> float:
        """Return the distance of two sets of features, float64 ``(N, n)`` each; at least 0."""
        # the evaluator handles several processes
        metric = FrechetInceptionDistance(feature=Given(painted.shape[1]), sync_on_compute=False)
        metric.update(true, real=True)
        metric.update(painted, real=False)
        # rounding puts equal sets slightly below 0
        return max(0.0, float(metric.compute()))

    def metadata(self) -> Mapping[str, str]:
        """Return the network, how images are resized, and a warning if there are few."""
        if self.images >= ENOUGH:
            return inception.METADATA
        warning = (
            f"{self.images} images are fewer than {ENOUGH}: FID is biased upwards; compare it only between "
            "equal numbers of images, and look at KID too"
        )
        return {**inception.METADATA, "warnings": warning}
