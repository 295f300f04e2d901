"""Colors as arrays."""

from __future__ import annotations

from functools import cache

import numpy as np

from .canvas import Field


@cache
def color_of(code: str) -> Field:
    """An HTML color such as `#a07e56` as RGB 0..255, float32 `(3, 1, 1)`."""
    return np.array([int(code[index : index + 2], 16) for index in (1, 3, 5)], np.float32)[:, None, None]


def jittered(random: np.random.Generator, code: str, amount: float) -> Field:
    """A color near an HTML color, RGB 0..255 as `(3, 1, 1)`; `amount` is a fraction of its range."""
    brightness = random.uniform(1 - amount, 1 + amount)
    tint = random.uniform(-90 * amount, 90 * amount, 3)[:, None, None]
    return np.clip(color_of(code) * brightness + tint, 6, 252).astype(np.float32)
