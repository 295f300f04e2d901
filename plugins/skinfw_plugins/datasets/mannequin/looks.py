"""Skin and hair, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfw.evaluation.tone_groups import MONK_SHADES

from .canvas import Field
from .chance import one_of, pick
from .colors import color_of, jittered

HAIR_COLORS = (
    "#15110f",
    "#231811",
    "#3b2518",
    "#553522",
    "#7a4f2c",
    "#a97c46",
    "#cfae74",
    "#8c3f22",
    "#8d8a88",
)


@dataclass(frozen=True)
class Skin:
    """Skin.

    Attributes:
        tone: Its level on the Monk scale, 1..10.
        lit: Its color in full light, RGB 0..255 as `(3, 1, 1)`.
        shade: Its color in shadow.
        shine: Brightness of the gloss where it faces the light, 0..255.
    """

    tone: int
    lit: Field
    shade: Field
    shine: float


@dataclass(frozen=True)
class Hair:
    """Hair.

    Attributes:
        color: RGB 0..255 as `(3, 1, 1)`.
        cut: `bald`, `buzz`, `short`, `bob`, `long` or `bun`.
        parting: Which side it is parted on, -1..1.
        curl: 0 is straight, 1 is curly.
    """

    color: Field
    cut: str
    parting: float
    curl: float


def sample_skin(random: np.random.Generator) -> Skin:
    """Draw a skin tone, uniform over the Monk scale, with a small jitter."""
    tone = int(random.integers(len(MONK_SHADES)))
    brightness = random.uniform(0.985, 1.015)
    lit = color_of(MONK_SHADES[tone]) * np.float32(brightness)
    # Light scatters in skin, so red fades last in its shadows.
    shade = lit * np.array([0.50, 0.40, 0.35], np.float32)[:, None, None]
    return Skin(tone + 1, lit, shade, shine=26.0 - 0.09 * float(lit.mean()))


def sample_hair(random: np.random.Generator) -> Hair:
    """Draw a hair color and a cut."""
    cut = pick(random, {"bald": 0.03, "buzz": 0.12, "short": 0.27, "bob": 0.18, "long": 0.28, "bun": 0.12})
    color = jittered(random, one_of(random, HAIR_COLORS), 0.12)
    return Hair(color, cut, random.uniform(-1, 1), max(0.0, random.uniform(-1, 1)))
