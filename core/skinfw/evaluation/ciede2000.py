"""The color difference CIEDE2000."""

from __future__ import annotations

import torch
from torch import Tensor

_TURN = 2 * torch.pi
_CHROMA = 25.0**7
"""Chroma at which the correction of weak colors starts."""


def ciede2000(one: Tensor, other: Tensor) -> Tensor:
    """Return the perceptual color difference per pixel (CIE 142-2001; Sharma, Wu and Dalal 2005, section 2).

    About 1 is the smallest visible difference. The weights of lightness, chroma and hue are 1.

    Args:
        one: colors in CIE L*a*b*, ``(B, 3, H, W)``; L in [0, 100].
        other: colors of the same shape; the order of the two does not matter.

    Returns:
        ``(B, 1, H, W)``, at least 0.

    Example:
        >>> one = torch.tensor([50.0, 2.6772, -79.7751]).reshape(1, 3, 1, 1)
        >>> other = torch.tensor([50.0, 0.0, -82.7485]).reshape(1, 3, 1, 1)
        >>> round(ciede2000(one, other).item(), 4)
        2.0425
    """
    lightness, chroma, hue = _polar(one, other)
    other_lightness, other_chroma, other_hue = _polar(other, one)
    mean_lightness = (lightness + other_lightness) / 2
    mean_chroma = (chroma + other_chroma) / 2
    gray = chroma * other_chroma == 0

    turn = other_hue - hue
    turn = turn - _TURN * (turn > torch.pi) + _TURN * (turn < -torch.pi)
    turn = torch.where(gray, 0.0, turn)
    hue_difference = 2 * (chroma * other_chroma).sqrt() * (turn / 2).sin()

    total = hue + other_hue
    far = (hue - other_hue).abs() > torch.pi
    mean_hue = torch.where(far, torch.where(total < _TURN, total + _TURN, total - _TURN), total) / 2
    mean_hue = torch.where(gray, total, mean_hue)

    weight = (
        1
        - 0.17 * (mean_hue - _degrees(30)).cos()
        + 0.24 * (2 * mean_hue).cos()
        + 0.32 * (3 * mean_hue + _degrees(6)).cos()
        - 0.20 * (4 * mean_hue - _degrees(63)).cos()
    )
    offset = (mean_lightness - 50).square()
    lightness_term = (other_lightness - lightness) / (1 + 0.015 * offset / (20 + offset).sqrt())
    chroma_term = (other_chroma - chroma) / (1 + 0.045 * mean_chroma)
    hue_term = hue_difference / (1 + 0.015 * mean_chroma * weight)

    around_blue = (-((mean_hue - _degrees(275)) / _degrees(25)).square()).exp()
    rotation = -(2 * _degrees(30) * around_blue).sin() * 2 * _strength(mean_chroma)
    squares = lightness_term.square() + chroma_term.square() + hue_term.square()
    return (squares + rotation * chroma_term * hue_term).clamp(min=0).sqrt()


def _polar(color: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a color's lightness, corrected chroma and hue in [0, 2 pi), relative to another color."""
    lightness, red_green, yellow_blue = color.chunk(3, dim=1)
    chromas = [each[:, 1:].square().sum(dim=1, keepdim=True).sqrt() for each in (color, other)]
    red_green = red_green * (1 + 0.5 * (1 - _strength((chromas[0] + chromas[1]) / 2)))
    hue = torch.atan2(yellow_blue, red_green)
    return lightness, torch.hypot(red_green, yellow_blue), torch.where(hue < 0, hue + _TURN, hue)


def _strength(chroma: Tensor) -> Tensor:
    """Return a number in [0, 1) that rises from weak to strong colors."""
    power = chroma**7
    return (power / (power + _CHROMA)).sqrt()


def _degrees(angle: float) -> float:
    return angle / 360 * _TURN
