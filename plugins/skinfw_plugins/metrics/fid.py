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
    """Distance of two normal distributions fitted to the features of painted and of true images.

    ``|m1 - m2|**2 + tr(S1 + S2 - 2 * (S1 S2)**0.5)`` of the means and covariances of Inception-v3's layer
    pool3 (Heusel et al. 2017, section 4; the report's section 6.1.2); 0 is best. It is biased: fewer images
    give a larger value, so values of different numbers of images cannot be compared, and below 2048
    images KID says more.
    """

    def distance(self, painted: Tensor, true: Tensor) -> float:
        """Return the distance of two sets of features, float64 ``(N, n)`` each; at least 0."""
        # which processes there are is the evaluator's matter
        metric = FrechetInceptionDistance(feature=Given(painted.shape[1]), sync_on_compute=False)
        metric.update(true, real=True)
        metric.update(painted, real=False)
        # rounding leaves equal sets a little below 0
        return max(0.0, float(metric.compute()))

    def metadata(self) -> Mapping[str, str]:
        """Return the network, how images are resized, and a warning where they are few."""
        if self.images >= ENOUGH:
            return inception.METADATA
        warning = (
            f"{self.images} images are fewer than {ENOUGH}: FID is biased upwards, compare it between "
            "equal numbers of images only, and read KID beside it"
        )
        return {**inception.METADATA, "warnings": warning}
