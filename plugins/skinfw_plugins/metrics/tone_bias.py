"""Whether skin is painted too light or too dark."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from skinfw.components.direction import Direction
from skinfw.evaluation.skin_tone import median_lab
from skinfw_plugins.metrics.config import ToneBiasConfig
from skinfw_plugins.metrics.per_image import PerImageMetric


class ToneBiasMetric(PerImageMetric[ToneBiasConfig]):
    """Lightness of the output minus that of the target, mean over the images; nearest to 0 is best.

    The lightness of an image is the median of L* (CIE Lab, D65) over the region's pixels, as for the skin
    tone. Above 0, the skin is painted too light; below 0, too dark. Errors of opposite sign cancel in the
    mean: it is 0 if dark skin is painted too light and light skin too dark, so read it by skin tone.
    """

    unit: ClassVar[str] = "L*"
    direction: ClassVar[Direction] = "zero"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the difference of each image, ``(B,)`` in [-100, 100]."""
        shown = torch.ones_like(target[:, :1]) if region is None else region
        pairs = zip(output, target, shown[:, 0] > 0.5, strict=True)
        return target.new_tensor([_difference(*pair) for pair in pairs])


def _difference(output: Tensor, target: Tensor, shown: Tensor) -> float:
    """Return the difference over the pixels shown, a mask ``(H, W)``; NaN without any."""
    if not shown.any():
        return float("nan")
    return median_lab(output[:, shown])[0] - median_lab(target[:, shown])[0]
