"""The color of a person's visible skin, for baselines, conditions and losses."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw_plugins.shared.erased import erased_pixels


def visible_tones(images: Tensor, face: Tensor) -> Tensor:
    """Return the color of each person's visible face; if none is visible, see `skin_tones`.

    Args:
        images: ``apparel_head_foot``, float ``(B, 3, H, W)`` in [0, 1].
        face: the input image ``face``, of the same shape and range.

    Returns:
        float ``(B, 3)`` in [0, 1].
    """
    return skin_tones(images, face.amax(dim=1, keepdim=True) > 0.5, ~erased_pixels(images))


def skin_tones(images: Tensor, skin: Tensor, visible: Tensor) -> Tensor:
    """Return the robust color of each person's visible skin: the median per channel.

    Unlike a mean, a median is robust to hair, eyes and shadows. If no skin is visible, it is the median of
    everything visible, and white if nothing is.

    Args:
        images: ``apparel_head_foot``, float ``(B, 3, H, W)`` in [0, 1].
        skin: where skin is visible, bool ``(B, 1, H, W)``.
        visible: where anything is visible, bool ``(B, 1, H, W)``.

    Returns:
        float ``(B, 3)`` in [0, 1].

    Example:
        >>> images = torch.tensor([0.25, 0.5, 0.875]).expand(1, 3, 1, 3)
        >>> skin = torch.tensor([[[[True, True, False]]]])
        >>> skin_tones(images, skin, torch.ones_like(skin)).tolist()
        [[0.25, 0.25, 0.25]]
    """
    return torch.stack([_tone(*sample) for sample in zip(images, skin[:, 0], visible[:, 0], strict=True)])


def _tone(image: Tensor, skin: Tensor, visible: Tensor) -> Tensor:
    for region in (skin, visible):
        if region.any():
            return image[:, region].median(dim=1).values
    return torch.ones_like(image[:, 0, 0])
