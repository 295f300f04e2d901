"""Filling a region from its surroundings, without a network."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from skinfw.data.pixel_types import image_tensor
from skinfw.inference.background import RADIUS
from skinfw.inference.composite import to_uint8


def inpaint(
    images: Tensor, region: Tensor, radius: float = RADIUS, method: int = cv2.INPAINT_TELEA
) -> Tensor:
    """Fill a region from its surroundings with OpenCV's inpainting.

    Args:
        images: float ``(B, 3, H, W)`` in [0, 1].
        region: the region to fill, bool ``(B, 1, H, W)``.
        radius: radius of the neighborhood that a pixel is filled from, in pixels.
        method: ``cv2.INPAINT_TELEA`` or ``cv2.INPAINT_NS``.

    Returns:
        float32 ``(B, 3, H, W)`` in [0, 1], rounded to 8 bits, on the same device.
    """
    masks = region[:, 0].cpu().numpy().astype(np.uint8)
    filled = [
        cv2.inpaint(image, mask, radius, method).astype(np.uint8, copy=False)
        for image, mask in zip(to_uint8(images), masks, strict=True)
    ]
    return image_tensor(filled).to(images.device, torch.float32)
