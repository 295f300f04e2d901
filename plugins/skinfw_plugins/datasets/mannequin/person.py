"""One person: everything drawn at random before rendering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import FOOT, LEFT, RIGHT, Build, Skeleton, Vector, sample_build, sample_skeleton
from .canvas import Field
from .chance import one_of, pick
from .colors import color_of
from .looks import Hair, Skin, sample_hair, sample_skin
from .wardrobe import Outfit, sample_outfit

BACKDROP_COLORS = (
    "#f2f2f0",
    "#e3e4e6",
    "#d3cfc8",
    "#c3ccd3",
    "#b8b4ac",
    "#dccfc4",
    "#9fa6a8",
    "#c9d3c6",
    "#efe6dc",
)


@dataclass(frozen=True)
class Backdrop:
    """A studio: colors RGB 0..255 as `(3, 1, 1)`; `glow` is where the wall is brightest, 0..1."""

    wall: Field
    floor: Field
    glow: tuple[float, float]


@dataclass(frozen=True)
class Person:
    """A person, how they stand, what they wear, and the light on them (unit vector towards it)."""

    build: Build
    skeleton: Skeleton
    skin: Skin
    hair: Hair
    iris: int
    outfit: Outfit
    light: Vector
    backdrop: Backdrop
    fill: float
    shift: tuple[float, float]

    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the person, hair and shoes included, in body units."""
        skeleton = self.skeleton
        points = np.array([*skeleton.joints.tolist(), *skeleton.hands.values()])
        left, right = float(points[:, 0].min()) - 0.03, float(points[:, 0].max()) + 0.03
        crown = skeleton.head_center[1] - (1.42 if self.hair.cut == "bun" else 1.2) * self.build.head
        sole = max(float(skeleton.joints[index, 1]) for side in (RIGHT, LEFT) for index in FOOT[side])
        return left, min(crown, float(points[:, 1].min()) - 0.02), right, sole + 0.03


def _sample_light(random: np.random.Generator) -> Vector:
    light = np.array([random.uniform(-0.75, 0.75), random.uniform(-0.6, -0.1), random.uniform(0.75, 1.0)])
    light /= np.linalg.norm(light)
    return float(light[0]), float(light[1]), float(light[2])


def _sample_backdrop(random: np.random.Generator) -> Backdrop:
    wall = color_of(one_of(random, BACKDROP_COLORS)) * np.float32(random.uniform(0.9, 1.03))
    floor = wall * np.float32(random.uniform(0.82, 1.0))
    return Backdrop(wall, floor, (random.uniform(0.25, 0.75), random.uniform(0.1, 0.5)))


def sample_person(seed: int) -> Person:
    """Draw a person; the same seed always draws the same person."""
    random = np.random.default_rng(seed)
    build = sample_build(random)
    return Person(
        build=build,
        skeleton=sample_skeleton(random, build),
        skin=sample_skin(random),
        hair=sample_hair(random),
        iris=pick(random, {0: 0.45, 1: 0.3, 2: 0.14, 3: 0.11}),
        outfit=sample_outfit(random),
        light=_sample_light(random),
        backdrop=_sample_backdrop(random),
        fill=random.uniform(0.88, 0.95),
        shift=(random.uniform(-1, 1), random.uniform(-1, 1)),
    )
