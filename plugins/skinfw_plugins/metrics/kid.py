"""Kernel inception distance."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw_plugins.metrics.config import KidConfig
from skinfw_plugins.metrics.kernel import KernelMetric
from skinfw_plugins.networks import inception


class KidMetric(KernelMetric[KidConfig]):
    """Squared maximum mean discrepancy of Inception's features of generated and real images.

    The kernel is ``(x y / n + 1)**3`` on the n features of Inception-v3's layer pool3, the estimate unbiased
    (Binkowski et al. 2018, section 4): few images make it uncertain, not larger. 0 is best; by chance it may
    be negative. With more images than ``subset_size`` it is the mean over random subsets, the same ones each
    time.
    """

    def metadata(self) -> Mapping[str, str]:
        """Return the network, how images are resized, and how many each estimate uses."""
        return {**inception.METADATA, "estimate": self.estimate()}
