"""Color of skin, cloth and hair under light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canvas import Field, bounded
from .looks import Hair, Skin
from .tubes import Surface
from .wardrobe import Fabric

AMBIENT = 0.34
"""Fraction of ambient light; the rest comes from the person's light."""


def skin_color(skin: Skin, surface: Surface, hem: float = 0.0, creases: Sequence[float] = ()) -> Field:
    """Color of skin, `(3, h, w)`.

    Args:
        skin: The person's skin.
        surface: The shape that it covers.
        hem: Distance along the shape where a garment ends; it casts a soft shadow beyond.
        creases: Distances along the shape of joints, which are darker than the flesh beside them.
    """
    light = surface.light
    glow = light * light
    level = AMBIENT + (1.0 - AMBIENT) * light
    for crease in creases:
        level = level - 0.13 * np.exp(
            ((surface.along - np.float32(crease)) * np.float32(1 / 0.018)) ** 2 * -1
        )
    if hem > 0:
        level *= 1 - np.float32(0.32) * np.exp(
            np.maximum(surface.along - np.float32(hem), 0) * np.float32(-1 / 0.022)
        )
    color = skin.shade + (skin.lit - skin.shade) * level
    color += (glow * glow) * (glow * np.float32(skin.shine))
    return np.asarray(color, np.float32)


def _pattern(fabric: Fabric, surface: Surface, width: float) -> Field:
    """Fraction of the second color, `(h, w)`."""
    rate = np.float32(2 * np.pi / fabric.period)
    phase = np.float32(fabric.phase)
    around = np.sin(surface.along * rate + phase)
    if fabric.pattern == "stripes":
        return bounded(around * 4 + 0.2, 0, 1)
    upright = np.sin(surface.across * (rate * np.float32(width)) + phase)
    if fabric.pattern == "pinstripes":
        return bounded(upright * 4 - 2.4, 0, 1)
    return 0.45 * bounded(around * 4 + 0.2, 0, 1) + 0.45 * bounded(upright * 4 + 0.2, 0, 1)


def cloth_color(fabric: Fabric, surface: Surface, width: float, pleats: float = 0.0) -> Field:
    """Color of cloth, `(3, h, w)`.

    Args:
        fabric: The cloth.
        surface: The shape that it covers.
        width: Half width of the shape in body units, so that patterns keep their size.
        pleats: Number of lengthwise folds across a skirt, deepening towards the hem; 0 gives the
            cross folds of a sleeve or a shirt.
    """
    level = (AMBIENT + 0.08) + (0.98 - AMBIENT) * surface.light
    if pleats:
        depth = bounded(surface.along * 5, 0, 1.4)
        folds = np.sin(surface.across * np.float32(pleats) + np.float32(fabric.phase)) * depth
    else:
        folds = np.sin(surface.along * 42 + surface.across * 1.7 + np.float32(fabric.phase))
        folds *= surface.across + np.float32(0.35)
    level *= 1 + np.float32(fabric.fold) * folds
    if fabric.pattern == "plain":
        return fabric.color * level
    color = fabric.color + (fabric.second - fabric.color) * _pattern(fabric, surface, width)
    color *= level
    return color


def hair_color(hair: Hair, x: Field, y: Field, light: tuple[float, float, float]) -> Field:
    """Color of hair with strands and shine, `(3, h, w)`, from positions in half head heights."""
    strands = np.sin(x * 13 + y * (3 + 5 * hair.curl)) * np.float32(0.10)
    shine = np.exp((y + 0.55 - 0.3 * x * light[0]) ** 2 * -9) * np.float32(0.35)
    level = 0.82 + 0.22 * light[0] * bounded(x, -1, 1) + strands + shine
    return np.asarray(hair.color * level + shine * 22, np.float32)
