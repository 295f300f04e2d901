"""Perceptual color difference."""

from __future__ import annotations

from typing import ClassVar, Literal

from kornia.color import rgb_to_lab
from torch import Tensor

from skinfw.evaluation.ciede2000 import ciede2000
from skinfw_plugins.metrics.config import Ciede2000Config
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means


class Ciede2000Metric(PerImageMetric[Ciede2000Config]):
    """CIEDE2000 between output and target, mean over the region's pixels of each image, then over images.

    0 is best; about 1 is the smallest visible difference (CIE 142-2001). Colors are sRGB under D65.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the difference of each image, ``(B,)``, at least 0."""
        # in float32 the hue of nearly gray pixels is noise, and some accelerators lack float64
        differences = ciede2000(rgb_to_lab(output.cpu().double()), rgb_to_lab(target.cpu().double()))
        return region_means(differences, None if region is None else region.cpu())
