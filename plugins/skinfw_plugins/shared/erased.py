"""Which pixels of an input image were erased."""

from __future__ import annotations

from torch import Tensor

from skinfw.data.cutout_file import WHITE_TOLERANCE

_MIN_WHITE = (255 - WHITE_TOLERANCE - 0.5) / 255


def erased_pixels(images: Tensor) -> Tensor:
    """Return which pixels are white, or nearly white after JPEG.

    Args:
        images: ``apparel_head_foot``, float ``(B, 3, H, W)`` in [0, 1].

    Returns:
        bool ``(B, 1, H, W)``.

    Example:
        >>> import torch
        >>> erased_pixels(torch.tensor([1.0, 0.5]).expand(1, 3, 1, 2)).tolist()
        [[[[True, False]]]]
    """
    return images.amin(dim=1, keepdim=True) > _MIN_WHITE
