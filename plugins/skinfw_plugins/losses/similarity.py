"""Structural similarity with a gradient, as a map: what SSIM and MS-SSIM are made of."""

from __future__ import annotations

import torch
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

WINDOW = 11
"""Side in pixels of the Gaussian window, whose sigma is 1.5 pixels (Wang et al. 2004, section III.C)."""

_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
"""The constants C1 and C2 for values in [0, 1] (the same section)."""


def similarity_maps(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the similarity in the window around each pixel, channel by channel.

    A window that reaches over the picture's edge sees the picture mirrored.

    Args:
        output: float32 ``(B, C, H, W)`` in [0, 1], at least 6 pixels a side.
        target: of the same shape.

    Returns:
        the similarity, and its factor of contrast and structure alone, both ``(B, C, H, W)`` in [-1, 1].
    """
    moments = torch.cat([output, target, output.square(), target.square(), output * target])
    kernel = get_gaussian_kernel1d(WINDOW, 1.5, device=output.device, dtype=output.dtype)
    one, other, one_square, other_square, product = filter2d_separable(moments, kernel, kernel).chunk(5)
    luminance = (2 * one * other + _LUMINANCE) / (one.square() + other.square() + _LUMINANCE)
    # rounding may leave the variance of a flat window below 0
    spread = (one_square - one.square()).clamp(min=0) + (other_square - other.square()).clamp(min=0)
    contrast = (2 * (product - one * other) + _CONTRAST) / (spread + _CONTRAST)
    return luminance * contrast, contrast


def inside(values: Tensor) -> Tensor:
    """Return the part of a map whose windows lie wholly inside the picture, ``(B, C, H - 10, W - 10)``."""
    margin = WINDOW // 2
    return values[..., margin : values.shape[-2] - margin, margin : values.shape[-1] - margin]
