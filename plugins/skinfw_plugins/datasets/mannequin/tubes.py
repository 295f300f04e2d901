"""Round shapes and their light: limbs as tubes, trunks as columns, the head's parts as ellipses.

A shape is a field of signed distances to its edge. Light depends on the surface normal, which follows from a
tube's axis and the position across it: the middle of a limb faces the viewer, its edges turn away, and a limb
that points elsewhere is lit differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .body import Vector
from .canvas import Canvas, Field, Window, bounded


@dataclass(frozen=True)
class Surface:
    """A shape in a window of the canvas, every field `(h, w)`.

    Attributes:
        window: Where it lies.
        distance: Signed distance to the edge in body units, negative inside.
        light: Cosine between the normal and the light, clipped to 0..1.
        along: Distance along the axis from its start, body units.
        across: Position across the axis, about -1..1 between the edges.
    """

    window: Window
    distance: Field
    light: Field
    along: Field
    across: Field

    def cut(self, distance: Field) -> Surface:
        """The part of the shape where `distance` is negative."""
        return Surface(self.window, np.maximum(self.distance, distance), self.light, self.along, self.across)


@dataclass(frozen=True)
class Limb:
    """Bones measured once, so that skin, sleeve and jacket can wrap around them.

    All arrays have the bones first: `(n, h, w)` or `(n, 1, 1)`.
    """

    window: Window
    offset_x: Field
    offset_y: Field
    offset: Field
    across: Field
    part: Field
    along: Field
    facing: Field
    light: Vector

    def bones(self, first: int, end: int) -> Limb:
        """The bones of the limb from `first` to before `end`."""
        some = slice(first, end)
        return Limb(
            self.window,
            self.offset_x[some],
            self.offset_y[some],
            self.offset[some],
            self.across[some],
            self.part[some],
            self.along[some],
            self.facing[some],
            self.light,
        )

    def surface(
        self, start: Sequence[float], end: Sequence[float], bulge: Sequence[float], blend: float
    ) -> Surface:
        """Wrap the chain in a skin.

        Args:
            start: Radius at each bone's start, body units.
            end: Radius at each bone's end.
            bulge: Muscle: radius added a third of the way along each bone.
            blend: Width over which neighboring bones blend, body units.
        """
        first, last, muscle = (np.array(values, np.float32)[:, None, None] for values in (start, end, bulge))
        part = self.part
        radius = first + (last - first) * part
        if any(bulge):
            rest = 1 - part
            radius += (6.75 * muscle) * (part * rest * rest)
        inverse = 1 / radius
        distance = self.offset - radius
        weight = np.exp(np.maximum(distance * np.float32(-1 / blend), -40))
        across = self.offset * inverse
        towards = np.sqrt(np.maximum(1 - across * across, 0.0))
        light = (
            self.offset_x * np.float32(self.light[0]) + self.offset_y * np.float32(self.light[1])
        ) * inverse
        light += towards * self.facing
        total = weight.sum(0)
        weight /= total
        return Surface(
            window=self.window,
            distance=np.log(total) * np.float32(-blend),
            light=bounded((weight * light).sum(0), 0, 1),
            along=(weight * self.along).sum(0),
            across=(weight * self.across * inverse).sum(0),
        )


def measure_limb(
    canvas: Canvas, bones: NDArray[np.float64], ways: Sequence[float], reach: float, light: Vector
) -> Limb:
    """Measure the pixels around some bones.

    Args:
        canvas: Where the limb will be painted.
        bones: Start and end of each bone, `(n, 2, 3)`.
        ways: Distance along the limb at each bone's start, body units.
        reach: Largest radius that will be needed, body units.
        light: Unit vector towards the light.
    """
    low, high = bones.min((0, 1)) - reach, bones.max((0, 1)) + reach
    window = canvas.window(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    start, bone = bones[:, 0], bones[:, 1] - bones[:, 0]
    flat = np.maximum(np.hypot(bone[:, 0], bone[:, 1]), 1e-3)
    length = np.sqrt((bone * bone).sum(1))
    # The direction of the tube's front is the axis crossed with the direction across it.
    facing = (light[2] * flat - (bone[:, 0] * light[0] + bone[:, 1] * light[1]) / flat * bone[:, 2]) / length

    def column(values: NDArray[np.float64]) -> Field:
        return np.asarray(values[:, None, None], np.float32)

    bone_x, bone_y = column(bone[:, 0]), column(bone[:, 1])
    from_x, from_y = window.x - column(start[:, 0]), window.y - column(start[:, 1])
    part: Field = bounded((from_x * bone_x + from_y * bone_y) * column(1 / (flat * flat)), 0, 1)
    across = (from_y * bone_x - from_x * bone_y) * column(1 / flat)
    offset_x, offset_y = from_x - part * bone_x, from_y - part * bone_y
    return Limb(
        window=window,
        offset_x=offset_x,
        offset_y=offset_y,
        offset=np.sqrt(offset_x * offset_x + offset_y * offset_y),
        across=across,
        part=part,
        along=part * column(length) + column(np.array(ways)),
        facing=column(facing),
        light=light,
    )


def column_surface(
    canvas: Canvas,
    top: Vector,
    bottom: Vector,
    outline: tuple[NDArray[np.float64], NDArray[np.float64]],
    light: Vector,
    flatness: float = 0.6,
) -> Surface:
    """A column with a given outline: torsos, skirts, necks.

    Args:
        canvas: Where it will be painted.
        top: Where its axis starts; `along` is measured from here.
        bottom: A further point of the axis.
        outline: Increasing distances along the axis and the half widths there, body units; straight in
            between. The column ends at the first and last distance.
        light: Unit vector towards the light.
        flatness: Depth of the cross-section as a fraction of its width; 1 is round.
    """
    ways, widths = outline
    axis_x, axis_y = bottom[0] - top[0], bottom[1] - top[1]
    length = float(np.hypot(axis_x, axis_y))
    axis_x, axis_y = axis_x / length, axis_y / length
    widest, first, last = float(widths.max()), float(ways[0]), float(ways[-1])
    ends_x = (top[0] + axis_x * first, top[0] + axis_x * last)
    ends_y = (top[1] + axis_y * first, top[1] + axis_y * last)
    slack = widest * abs(axis_x)
    window = canvas.window(
        min(ends_x) - widest, min(ends_y) - slack, max(ends_x) + widest, max(ends_y) + slack
    )
    from_x, from_y = window.x - np.float32(top[0]), window.y - np.float32(top[1])
    along = from_x * np.float32(axis_x) + from_y * np.float32(axis_y)
    side = from_x * np.float32(axis_y) - from_y * np.float32(axis_x)
    half = np.interp(along, ways, widths).astype(np.float32)
    across = side / half
    inner = bounded(across, -1, 1)
    squared = inner * inner
    towards = np.sqrt(1 - squared)
    slope = np.float32(light[0] * axis_y - light[1] * axis_x)
    lit = (inner * (flatness * slope) + towards * np.float32(light[2])) / np.sqrt(
        squared * np.float32(flatness**2) + (1 - squared) + 1e-6
    )
    # Where the outline widens fast (shoulders), its edge is nearer than the distance across suggests.
    slopes = np.diff(widths) / np.diff(ways)
    spread = np.interp(from_y[:, 0] * axis_y, (ways[:-1] + ways[1:]) / 2, slopes)
    nearness = (1 / np.hypot(1, spread)).astype(np.float32)[:, None]
    sideways: Field = (np.abs(side) - half) * nearness
    distance = np.maximum(sideways, np.maximum(first - along, along - last))
    return Surface(window, distance, bounded(lit, 0, 1), along, across)


@cache
def _corner_cutting(points: int) -> NDArray[np.float64]:
    """The matrix that cuts the corners of a line of points twice (Chaikin), keeping its ends."""
    matrix = np.eye(points)
    for _ in range(2):
        near, far = matrix[:-1], matrix[1:]
        cut = np.stack([0.75 * near + 0.25 * far, 0.25 * near + 0.75 * far], axis=1)
        matrix = np.vstack([matrix[:1], cut.reshape(-1, points), matrix[-1:]])
    return matrix


def smooth_outline(
    points: Sequence[tuple[float, float]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Round off an outline of (distance, half width) points; returns distances and half widths."""
    rounded = _corner_cutting(len(points)) @ np.array(points)
    return rounded[:, 0], rounded[:, 1]


def ellipse(x: Field, y: Field, center: tuple[float, float], radii: tuple[float, float]) -> Field:
    """Signed distance to an ellipse, negative inside; accurate to a few percent near its edge."""
    p = (x - np.float32(center[0])) * np.float32(1 / radii[0])
    q = (y - np.float32(center[1])) * np.float32(1 / radii[1])
    distance: Field = np.sqrt(p * p + q * q)
    distance -= 1
    distance *= np.float32(min(radii))
    return distance
