"""Means and covariances over a region, per image, and the color space for them."""

from __future__ import annotations

import torch
from kornia.color import rgb_to_lab
from torch import Tensor


def to_lab(images: Tensor) -> Tensor:
    """Return sRGB images in CIE Lab (D65), divided by 100.

    Args:
        images: float32 ``(B, 3, H, W)`` in [0, 1].

    Returns:
        ``(B, 3, H, W)``: lightness in [0, 1], then a and b of about [-1, 1].
    """
    lab: Tensor = rgb_to_lab(images)
    return lab / 100


def region_means(values: Tensor, region: Tensor) -> Tensor:
    """Return the mean over a region, for each image and channel.

    Args:
        values: ``(B, C, H, W)``.
        region: weight of each pixel, ``(B, 1, H, W)`` in [0, 1].

    Returns:
        ``(B, C)``; 0 where the region is empty.

    Example:
        >>> region = torch.tensor([[[[1.0, 0.0]]]])
        >>> region_means(torch.tensor([[[[0.25, 0.75]]]]), region).tolist()
        [[0.25]]
    """
    count = region.sum(dim=(2, 3))
    return (values * region).sum(dim=(2, 3)) / torch.where(count > 0, count, 1)


def region_covariances(values: Tensor, region: Tensor) -> Tensor:
    """Return the covariance of the channels over a region, divided by its number of pixels, ``(B, C, C)``.

    Args:
        values: ``(B, C, H, W)``.
        region: weight of each pixel, ``(B, 1, H, W)`` in [0, 1].
    """
    centerd = values - region_means(values, region)[:, :, None, None]
    products = torch.einsum("bchw,bdhw->bcd", centerd * region, centerd)
    return products / region.sum(dim=(2, 3)).clamp(min=1)[:, :, None]


def mean_over_images(values: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the mean over a batch; images with unknown values count as 0.

    Args:
        values: ``(B,)``.
        known: bool ``(B,)``, or None if all are.
    """
    return (values if known is None else torch.where(known, values, 0)).mean()
