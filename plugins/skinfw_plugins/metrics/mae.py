"""Mean absolute error."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from skinfw_plugins.metrics.config import MaeConfig
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means


class MaeMetric(PerImageMetric[MaeConfig]):
    """Mean of ``|output - target|`` over the region's pixels and channels, values in [0, 1]; 0 is best."""

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the error of each image, ``(B,)`` in [0, 1]."""
        return region_means((output - target).abs(), region)
