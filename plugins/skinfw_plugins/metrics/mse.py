"""Mean squared error."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from skinfw_plugins.metrics.config import MseConfig
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means


class MseMetric(PerImageMetric[MseConfig]):
    """Mean of ``(output - target)**2`` over the region's pixels and channels, values in [0, 1].

    0 is best (the report's section 6.1.2).
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the error of each image, ``(B,)`` in [0, 1]."""
        return squared_errors(output, target, region)


def squared_errors(output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
    """Return the mean squared error of each image over a region.

    Args:
        output: ``(B, 3, H, W)``.
        target: ``(B, 3, H, W)``.
        region: the mask of the region, ``(B, 1, H, W)`` in {0, 1}, or None for the whole image.

    Returns:
        ``(B,)``; NaN where the region is empty.

    Example:
        >>> import torch
        >>> squared_errors(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5), None).tolist()
        [0.25]
    """
    return region_means((output - target).square(), region)
