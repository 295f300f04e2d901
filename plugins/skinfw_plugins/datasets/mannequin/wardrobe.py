"""What a person wears: garments, their cuts and fabrics, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Field
from .chance import one_of, pick, within
from .colors import color_of, jittered

# fmt: off
FABRIC_COLORS = (
    "#f4f2ee", "#e4ded2", "#cfd3d6", "#8f949a", "#55595f", "#2a2c30", "#17181b",
    "#22304f", "#2f4f86", "#5b83b5", "#a7c3dd", "#20615b", "#5d9c8c", "#35502f",
    "#7c8b4b", "#c9b458", "#e2c94f", "#d98436", "#c2512f", "#a52630", "#6d1f2e",
    "#c76b83", "#e9b7c0", "#7d5a9b", "#4a3763", "#8b5e3c", "#c2a27a", "#6b4a3a",
)
# fmt: on

DENIM_COLORS = ("#2b3a55", "#44587c", "#6b84a8", "#9db2c9", "#1d2026", "#c9bda3", "#6f6a58")

SHOE_COLORS = (
    "#17171a",
    "#3a2a20",
    "#6b4630",
    "#a9825a",
    "#e9e7e2",
    "#b0b3b8",
    "#8d2430",
    "#24365c",
    "#d9a8a0",
)


@dataclass(frozen=True)
class Fabric:
    """A cloth: two colors, RGB 0..255 as `(3, 1, 1)`, how they alternate, and how it wrinkles.

    Attributes:
        color: The main color.
        second: The color of stripes and checks.
        pattern: `plain`, `stripes` (around the body), `pinstripes` (along it) or `checks`.
        period: Repeat of the pattern, body units.
        fold: Strength of the folds, 0..1.
        phase: Where the pattern and the folds begin, radians.
    """

    color: Field
    second: Field
    pattern: str
    period: float
    fold: float
    phase: float


@dataclass(frozen=True)
class Top:
    """What covers the chest.

    Attributes:
        fabric: Its cloth.
        sleeve: Length as a fraction of the arm from shoulder to wrist; 0 is sleeveless.
        hem: Where it ends, as a fraction of the way from neck to hips; above 1 it covers them.
        neckline: `round`, `vee`, `boat`, `straps` or `collar` (closed around the neck).
        depth: Depth of the neckline, body units.
        ease: How loosely it sits, body units added to the radius.
        dress: Whether a skirt is sewn to it.
        tucked: Whether the bottom is worn over it.
    """

    fabric: Fabric
    sleeve: float
    hem: float
    neckline: str
    depth: float
    ease: float
    dress: bool
    tucked: bool


@dataclass(frozen=True)
class Bottom:
    """What covers the hips: `pants` or `skirt`; `length` is a fraction of the way to the ankle."""

    fabric: Fabric
    kind: str
    length: float
    ease: float
    flare: float


@dataclass(frozen=True)
class Outer:
    """An open jacket: `hem` as in `Top`, `opening` is the bare fraction of its front."""

    fabric: Fabric
    hem: float
    sleeve: float
    opening: float


@dataclass(frozen=True)
class Shoes:
    """Footwear.

    Attributes:
        color: RGB 0..255 as `(3, 1, 1)`.
        sole: Color of the sole.
        height: How far it extends above the ankle, body units; negative leaves the instep bare.
    """

    color: Field
    sole: Field
    height: float


@dataclass(frozen=True)
class Outfit:
    """Everything that one person wears; a dress is a top with a skirt of the same cloth."""

    top: Top
    bottom: Bottom
    outer: Outer | None
    shoes: Shoes


def _fabric(random: np.random.Generator, colors: tuple[str, ...], plain: float) -> Fabric:
    pattern = "plain"
    if random.uniform() > plain:
        pattern = one_of(random, ("stripes", "pinstripes", "checks"))
    return Fabric(
        color=jittered(random, one_of(random, colors), 0.07),
        second=jittered(random, one_of(random, FABRIC_COLORS), 0.07),
        pattern=pattern,
        period=random.uniform(0.028, 0.06),
        fold=random.uniform(0.05, 0.22),
        phase=random.uniform(0, 2 * np.pi),
    )


def _sample_top(random: np.random.Generator, dress: bool) -> Top:
    sleeve = within(random, {(0.0, 0.0): 0.34, (0.16, 0.42): 0.36, (0.45, 0.72): 0.16, (0.8, 0.98): 0.14})
    if sleeve == 0:
        chances = {"round": 0.3, "vee": 0.25, "boat": 0.1, "straps": 0.3, "collar": 0.05}
    else:
        chances = {"round": 0.4, "vee": 0.3, "boat": 0.15, "collar": 0.15}
    neckline = pick(random, chances)
    shallow, deep = {
        "round": (0.022, 0.060),
        "vee": (0.05, 0.115),
        "boat": (0.012, 0.022),
        "straps": (0.05, 0.085),
        "collar": (0.0, 0.0),
    }[neckline]
    return Top(
        fabric=_fabric(random, FABRIC_COLORS, 0.6),
        sleeve=sleeve,
        hem=1.0 if dress else within(random, {(0.66, 0.84): 0.2, (0.95, 1.25): 0.8}),
        neckline=neckline,
        depth=random.uniform(shallow, deep),
        ease=random.uniform(0.002, 0.016),
        dress=dress,
        tucked=dress or random.uniform() < 0.35,
    )


def _sample_bottom(random: np.random.Generator, top: Top) -> Bottom:
    trousers = not top.dress and random.uniform() < 0.62
    if trousers:
        length = within(random, {(0.2, 0.46): 0.56, (0.55, 0.8): 0.16, (0.88, 1.0): 0.28})
    else:
        length = within(random, {(0.22, 0.42): 0.5, (0.42, 0.62): 0.36, (0.7, 0.92): 0.14})
    fabric = _fabric(random, DENIM_COLORS if trousers and random.uniform() < 0.5 else FABRIC_COLORS, 0.75)
    return Bottom(
        fabric=top.fabric if top.dress else fabric,
        kind="pants" if trousers else "skirt",
        length=length,
        ease=random.uniform(0.001, 0.014),
        flare=random.uniform(0.0, 0.016) if trousers else random.uniform(-0.01, 0.075),
    )


def _shown_fraction(top: Top, bottom: Bottom) -> float:
    """Roughly how much of the limbs stays bare: 1 for both arms, about 3 for both legs."""
    return max(0.0, 1 - top.sleeve) + 3 * max(0.0, 0.95 - bottom.length)


def sample_outfit(random: np.random.Generator) -> Outfit:
    """Draw what a person wears; some arm or leg always stays bare."""
    top = _sample_top(random, dress=random.uniform() < 0.2)
    bottom = _sample_bottom(random, top)
    while _shown_fraction(top, bottom) < 0.45:
        top = _sample_top(random, top.dress)
    outer = None
    if random.uniform() < 0.2 and bottom.length < 0.7:
        outer = Outer(
            fabric=_fabric(random, FABRIC_COLORS, 0.8),
            hem=random.uniform(0.8, 1.5),
            sleeve=random.uniform(0.7, 0.98),
            opening=random.uniform(0.25, 0.6),
        )
    shoes = Shoes(
        color=jittered(random, one_of(random, SHOE_COLORS), 0.08),
        sole=color_of(one_of(random, ("#f0eee9", "#1a1a1c", "#6b4a30"))),
        height=within(random, {(-0.075, -0.045): 0.35, (-0.02, 0.01): 0.45, (0.03, 0.14): 0.2}),
    )
    return Outfit(top, bottom, outer, shoes)
