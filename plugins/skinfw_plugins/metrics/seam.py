"""How visible the border of the inpainted skin is."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from skinfw_plugins.metrics.config import SeamConfig
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means


class SeamMetric(PerImageMetric[SeamConfig]):
    """Error of the gradient in a band around the border of the skin, mean over the images; 0 is best.

    The gradient is that of neighboring pixels: ``p(y, x + 1) - p(y, x)`` and ``p(y + 1, x) - p(y, x)``, 0 in
    the last column and row. The error is the mean over the band's pixels and channels of ``|gx(output) -
    gx(target)| + |gy(output) - gy(target)|``. The band contains the pixels at most ``band`` pixels, diagonals
    included, from a pixel on the other side of the skin's border.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the error of each image, ``(B,)`` in [0, 4]."""
        if region is None:
            raise ValueError("the whole image has no border")
        difference = output - target
        right = torch.zeros_like(difference)
        right[..., :-1] = difference.diff(dim=-1)
        down = torch.zeros_like(difference)
        down[..., :-1, :] = difference.diff(dim=-2)
        return region_means(right.abs() + down.abs(), border_band(region, self.config.band))


def border_band(region: Tensor, width: int) -> Tensor:
    """Return the pixels on either side of a region's border, ``(B, 1, H, W)`` in {0, 1}.

    Args:
        region: ``(B, 1, H, W)`` in {0, 1}; the image's own edge does not count as its border.
        width: maximum distance from the other side, in pixels, diagonals included.

    Example:
        >>> border_band(torch.tensor([[[[0.0, 0.0, 1.0, 1.0, 1.0]]]]), width=1).tolist()
        [[[[0.0, 1.0, 1.0, 0.0, 0.0]]]]
    """

    def grown(mask: Tensor) -> Tensor:
        return max_pool2d(mask, kernel_size=2 * width + 1, stride=1, padding=width)

    return grown(region) * grown(1 - region)
