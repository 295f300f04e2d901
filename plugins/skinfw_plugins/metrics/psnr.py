"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from skinfw_plugins.metrics.config import PsnrConfig
from skinfw_plugins.metrics.mse import squared_errors
from skinfw_plugins.metrics.per_image import PerImageMetric

HIGHEST = 100.0
"""Value of an image without error, in dB: infinity would dominate the mean over the images."""


class PsnrMetric(PerImageMetric[PsnrConfig]):
    """``10 * log10(1 / MSE)`` for values in [0, 1], of each image, then the mean over the images.

    20 to 40 dB is considered good (the report's section 6.1.2). An image counts at most 100 dB; a 512 pixel
    image with a single value off by 2 of 255 already exceeds that.
    """

    unit: ClassVar[str] = "dB"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the ratio of each image, ``(B,)`` in dB, at most `HIGHEST`."""
        errors = squared_errors(output, target, region)
        return -10 * torch.log10(torch.clamp(errors, min=10 ** (-HIGHEST / 10)))
