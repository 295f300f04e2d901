"""Filling a region smoothly from its surroundings."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

_SCALES = (1, 2, 4, 8, 16)
"""Steps in pixels at which colors spread, one after the other. What is farther than their sum, 31 pixels,
from the surroundings gets their mean."""

_LEAST = 1e-3
"""Least weight of the known pixels that a color can be computed from, also in float16."""


def fill_smoothly(images: Tensor, region: Tensor) -> Tensor:
    """Fill a region from its surroundings; all other pixels stay as they are.

    Known colors spread by binomial filters of ever wider steps, normalized by how much of each pixel is known
    (Knutsson and Westin 1993, Normalized and differential convolution; the steps are those of the transform
    "a trous", Shensa 1992). Wider filters add what narrower ones leave unknown. It runs on any device, in an
    exported graph, and on images of any size.

    Args:
        images: float ``(B, C, H, W)``.
        region: the region to fill, bool ``(B, 1, H, W)``.

    Returns:
        float of the same shape, within the range of the known pixels; 1 if there are none.

    Example:
        >>> images = torch.tensor([[[[0.25, 0.0, 0.25, 0.25]]]])
        >>> fill_smoothly(images, images == 0).tolist()
        [[[[0.25, 0.25, 0.25, 0.25]]]]
    """
    known = (~region).to(images.dtype)
    spread = torch.cat([images * known, known], dim=1)  # colors times their weight, and the weight
    filled = spread
    # computed on the device: copying numbers there waits for it
    weights = (2 - (torch.arange(3, dtype=spread.dtype, device=spread.device) - 1).abs()) / 4
    kernel = (weights[:, None] * weights).expand(spread.shape[1], 1, 3, 3)
    for step in _SCALES:
        spread = conv2d(spread, kernel, padding=step, dilation=step, groups=spread.shape[1])
        filled = filled + (1 - filled[:, -1:]) * spread
    weight = filled[:, -1:]
    total = known.mean(dim=(2, 3), keepdim=True)
    mean = (images * known).mean(dim=(2, 3), keepdim=True) / total.clamp(min=torch.finfo(total.dtype).tiny)
    rest = torch.where(total > 0, mean, 1.0)
    filled = torch.where(weight > _LEAST, filled[:, :-1] / weight.clamp(min=_LEAST), rest)
    return torch.where(region, filled, images)
