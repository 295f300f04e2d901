"""What the baselines share: which pixels around the skin were erased, and OpenCV's inpainting."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from skinfw.data.batch import picture_tensor
from skinfw.inference.composite import to_uint8
from skinfw_plugins.shared.erased import erased_pixels


def erased_ring(pictures: Tensor, skin: Tensor, margin: int) -> Tensor:
    """Return the erased pixels close to the skin that are not skin themselves.

    Preparation erases them. A composite with a margin takes them from the painted picture, so what paints
    the skin has to paint them too.

    Args:
        pictures: ``apparel_head_foot``, float ``(B, 3, H, W)`` in [0, 1].
        skin: the skin region, bool ``(B, 1, H, W)``.
        margin: how far they are from the skin at most, in pixels, diagonals included.

    Returns:
        bool ``(B, 1, H, W)``.
    """
    near = max_pool2d(skin.to(pictures.dtype), kernel_size=2 * margin + 1, stride=1, padding=margin) > 0.5
    return near & ~skin & erased_pixels(pictures)


def inpaint(pictures: Tensor, region: Tensor, radius: float, method: int) -> Tensor:
    """Fill a region from what is around it by OpenCV's inpainting.

    Args:
        pictures: float ``(B, 3, H, W)`` in [0, 1].
        region: what is to be filled, bool ``(B, 1, H, W)``.
        radius: how far from a pixel it is filled from, in pixels.
        method: ``cv2.INPAINT_TELEA`` or ``cv2.INPAINT_NS``.

    Returns:
        float32 ``(B, 3, H, W)`` in [0, 1], rounded to 8 bits, on the same device.
    """
    masks = region[:, 0].cpu().numpy().astype(np.uint8)
    filled = [
        cv2.inpaint(picture, mask, radius, method).astype(np.uint8, copy=False)
        for picture, mask in zip(to_uint8(pictures), masks, strict=True)
    ]
    return picture_tensor(filled).to(pictures.device, torch.float32)
