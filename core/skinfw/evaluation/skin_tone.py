"""The skin tone of real images, in CIE Lab under D65.

An image's tone is that of its skin's median color, separately for L*, a* and b*: shadows, seams and hair
affect a median less than a mean. Photos are not color-calibrated: light and camera shift the tone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import torch
from kornia.color import rgb_to_lab
from torch import Tensor

from skinfw.evaluation.results import SkinTone
from skinfw.evaluation.tone_groups import MONK_SHADES


def typology_angle(lightness: float, yellowness: float) -> float:
    """Return the individual typology angle in degrees (Chardon et al. 1991).

    Args:
        lightness: L*, 0 to 100.
        yellowness: b*. Positive for skin; below 0, as under blue light, the angle exceeds 90 degrees.
    """
    return math.degrees(math.atan2(lightness - 50.0, yellowness))


def nearest_monk(lab: Sequence[float]) -> int:
    """Return the Monk skin tone, 1 to 10, nearest to a color.

    Args:
        lab: L*, a* and b*; distances are Euclidean.
    """
    distances = [math.dist(lab, shade) for shade in _monk_lab()]
    return distances.index(min(distances)) + 1


def skin_tones(images: Tensor, skin: Tensor) -> list[SkinTone | None]:
    """Return the tone of the skin in each image.

    Args:
        images: float RGB ``(B, 3, H, W)`` in [0, 1].
        skin: where skin is visible, ``(B, 1, H, W)`` in {0, 1}.

    Returns:
        one per image; None for images without skin.
    """
    return [_tone(image[:, shown]) for image, shown in zip(images, skin[:, 0] > 0.5, strict=True)]


def tone_of_lab(lab: Sequence[float]) -> SkinTone:
    """Return the tone of a color, given as L*, a* and b*."""
    return SkinTone(typology_angle(lab[0], lab[2]), nearest_monk(lab), lab[0])


def _tone(colors: Tensor) -> SkinTone | None:
    """Return the tone of ``(3, N)`` colors."""
    return tone_of_lab(median_lab(colors)) if colors.shape[1] else None


def median_lab(colors: Tensor) -> list[float]:
    """Return the medians of L*, a* and b* over colors.

    Args:
        colors: float RGB ``(3, N)`` in [0, 1], at least one.
    """
    # a median needs sorting, and torch.quantile is limited to 16 million values
    ordered = _to_lab(colors.float().cpu()).sort(dim=1).values
    middle = colors.shape[1] // 2
    lab: list[float] = ((ordered[:, middle] + ordered[:, -middle - 1]) / 2).tolist()
    return lab


def _to_lab(colors: Tensor) -> Tensor:
    lab: Tensor = rgb_to_lab(colors[:, None])
    return lab[:, 0]


@cache
def _monk_lab() -> list[list[float]]:
    rgb = torch.tensor([list(bytes.fromhex(shade[1:])) for shade in MONK_SHADES]) / 255.0
    shades: list[list[float]] = _to_lab(rgb.T).T.tolist()
    return shades
