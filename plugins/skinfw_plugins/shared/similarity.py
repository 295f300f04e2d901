"""Maps of structural similarity with a gradient, for SSIM and MS-SSIM."""

from __future__ import annotations

import torch
from kornia.filters import get_gaussian_kernel1d
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv1d, pad

from skinfw_plugins.losses.moments import region_means
from skinfw_plugins.shared.fields import MS_SSIM_EXPONENTS

WINDOW = 11
"""Side in pixels of the Gaussian window, whose sigma is 1.5 pixels (Wang et al. 2004, section III.C)."""

_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
"""The constants C1 and C2 for values in [0, 1] (the same section)."""


def exact(images: Tensor) -> Tensor:
    """Return images in the precision for computing similarity.

    It is float64: in float32 the error of a flat window's variance, a difference of two nearly equal numbers,
    is as large as the formula's constants. Apple devices lack float64 and use float32.
    """
    return images.float() if images.device.type == "mps" else images.double()


def similarity_maps(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the similarity in the window around each pixel, per channel.

    Windows beyond the image's edge see the image mirrored. Both factors are computed as 1 minus a term that
    is 0 for equal images, so their similarity is exactly 1, the maximum.

    Args:
        output: ``(B, C, H, W)`` in [0, 1], at least 6 pixels per side.
        target: of the same shape.

    Returns:
        the similarity, and its contrast-structure factor alone, both ``(B, C, H, W)`` in [-1, 1], in
        the precision of `exact`.
    """
    output, target = exact(output), exact(target)
    difference = output - target
    moments = torch.cat([output, target, output.square(), target.square(), difference.square()])
    one, other, one_square, other_square, apart = _window_means(moments).chunk(5)
    squares = one.square(), other.square(), (one - other).square()
    luminance = 1 - squares[2] / (squares[0] + squares[1] + _LUMINANCE)
    # rounding may make the variance of a flat window negative; 2 cov(x, y) is var(x) + var(y) - var(x - y)
    spread = (one_square - squares[0]).clamp(min=0) + (other_square - squares[1]).clamp(min=0)
    contrast = 1 - (apart - squares[2]).clamp(min=0) / (spread + _CONTRAST)
    return luminance * contrast, contrast


def _window_means(images: Tensor) -> Tensor:
    """Return the mean in the window around each pixel, of the shape of the images, ``(B, C, H, W)``.

    On a CPU, two products with matrices are faster than a convolution, which is slow in float64: five times
    at 256x128, 1.8 times at 1024x512.
    """
    rows, columns = (_window_matrix(side, images) for side in images.shape[-2:])
    return rows @ images @ columns.T


def _window_matrix(side: int, like: Tensor) -> Tensor:
    """Return the weight of each pixel of a row in the window around each pixel, ``(side, side)``."""
    kernel = get_gaussian_kernel1d(WINDOW, 1.5, device=like.device, dtype=like.dtype)
    pixels = torch.eye(side, device=like.device, dtype=like.dtype)
    margin = WINDOW // 2
    return conv1d(pad(pixels[:, None], (margin, margin), mode="reflect"), kernel[None])[:, 0].T


def inside(values: Tensor) -> Tensor:
    """Return the part of a map whose windows lie entirely inside the image, ``(B, C, H - 10, W - 10)``.

    Example:
        >>> inside(torch.zeros(1, 3, 32, 16)).shape
        torch.Size([1, 3, 22, 6])
    """
    margin = WINDOW // 2
    return values[..., margin : values.shape[-2] - margin, margin : values.shape[-1] - margin]


_MIN = 1e-6
"""Minimum similarity: a fractional power has no gradient at 0 and no value below."""


def multiscale_similarity(output: Tensor, target: Tensor, scales: int, skin: Tensor | None = None) -> Tensor:
    """Return the multi-scale structural similarity of each image (Wang et al. 2003, section 3.2).

    Args:
        output: ``(B, 3, H, W)`` in [0, 1], large enough for the scales
            (`skinfw_plugins.shared.fields.ms_ssim_min_side`).
        target: of the same shape.
        scales: number of scales, each half the size of the one before; their exponents are normalized to add
            up to 1.
        skin: ``(B, 1, H, W)`` in {0, 1}: windows are weighted by the fraction of skin at their center; None
            for all windows entirely inside the image.

    Returns:
        the mean over the channels, ``(B,)`` in [0, 1], in the precision of `exact`.
    """
    output, target = exact(output), exact(target)
    exponents = MS_SSIM_EXPONENTS[:scales]
    product = torch.ones_like(output[:, :, 0, 0])
    skin = None if skin is None else skin.to(output.dtype)
    for scale, exponent in enumerate(exponents, start=1):
        similarity, contrast = similarity_maps(output, target)
        chosen = similarity if scale == len(exponents) else contrast
        mean = inside(chosen).mean((2, 3)) if skin is None else region_means(chosen, skin)
        product = product * mean.clamp(min=_MIN) ** (exponent / sum(exponents))
        output, target = _halve(output), _halve(target)
        skin = None if skin is None else _halve(skin)
    return product.mean(dim=1)


def _halve(images: Tensor) -> Tensor:
    # the last pixel of an odd side averages the existing pixels, so that no skin is lost
    return avg_pool2d(images, kernel_size=2, ceil_mode=True)
