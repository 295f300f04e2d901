"""The composite: which pixels come from the generator, and which are kept exactly.

Pure functions, shared by trainer, evaluator and file generation.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from skinfw.components.field_names import KEEP, MASK, SKIN
from skinfw.data.batch import Batch
from skinfw.data.segmentation import RgbImage
from skinfw.specs.spec import Composite

COLORS = 3
"""Channels of a generator's output before alpha."""

COMPOSITE_FIELDS: Mapping[Composite, str | None] = {"none": None, "mask": MASK, "skin": SKIN, "protect": KEEP}
"""The field of a sample that each composite uses."""


def composite_mask(mode: Composite, batch: Batch | Mapping[str, Tensor]) -> Tensor:
    """Return where the generator's image is used, float ``(B, 1, H, W)`` in {0, 1}.

    ========= ===============================================================================================
    none      everywhere
    mask      only on the inpainting mask: what preparation erased of the person
    skin      only on the skin region: the report's mask (section 6.1.1)
    protect   everywhere but on head, feet and apparel; needs no skin region
    ========= ===============================================================================================
    """
    if mode == "none":
        return torch.ones_like(batch[KEEP])
    if mode == "protect":
        return 1 - batch[KEEP]
    return batch[MASK if mode == "mask" else SKIN]


def composite(output: Tensor, base: Tensor, painted: Tensor) -> Tensor:
    """Take inpainted pixels from the generator and all others, exactly, from the input image.

    Args:
        output: the generator's output, ``(B, 3, H, W)``.
        base: the input image ``apparel_head_foot``, ``(B, 3, H, W)``.
        painted: see `composite_mask`.

    Returns:
        ``(B, 3, H, W)``; gradients flow to ``output`` only through inpainted pixels.
    """
    return torch.where(painted > 0.5, output, base)


def over(color: Tensor, alpha: Tensor, background: Tensor) -> Tensor:
    """Put colors over a background (Porter and Duff 1984).

    Args:
        color: ``(B, 3, H, W)``, not premultiplied.
        alpha: ``(B, 1, H, W)`` in [0, 1].
        background: ``(B, 3, H, W)``.

    Returns:
        ``(B, 3, H, W)``.

    Example:
        >>> over(torch.ones(1, 3, 1, 1), torch.full((1, 1, 1, 1), 0.25), torch.zeros(1, 3, 1, 1)).unique()
        tensor([0.2500])
    """
    return background + alpha * (color - background)


def to_uint8(output: Tensor) -> RgbImage:
    """Convert images to 8 bits for writing: rounded and clamped to 0..255.

    A value ``n / 255`` becomes ``n`` again, so kept pixels are written as they were read.

    Args:
        output: ``(B, C, H, W)`` in [0, 1], RGB or heat maps.

    Returns:
        uint8 ``(B, H, W, C)``.
    """
    values = output.detach().float().mul(255).round_().clamp_(0, 255)
    return np.ascontiguousarray(values.to("cpu", torch.uint8).permute(0, 2, 3, 1).numpy())
