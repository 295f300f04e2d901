"""The trunk: neck and chest, and the garments that hang on shoulders and hips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .body import HIP, LEFT, MID_HIP, NECK, RIGHT, SHOULDER, Vector
from .canvas import LABELS, Canvas, Field, bounded
from .materials import cloth_color, skin_color
from .person import Person
from .tubes import Surface, column_surface, ellipse, measure_limb, smooth_outline
from .wardrobe import Top


class Trunk:
    """The trunk of one person on one canvas."""

    def __init__(self, canvas: Canvas, person: Person) -> None:
        """Measure the trunk between the person's neck and hips."""
        self.canvas = canvas
        self.person = person
        joints = person.skeleton.joints
        self.neck = self._joint(NECK)
        self.hips = self._joint(MID_HIP)
        self.length = float(np.hypot(self.hips[0] - self.neck[0], self.hips[1] - self.neck[1]))
        shoulders = abs(float(joints[SHOULDER[LEFT], 0] - joints[SHOULDER[RIGHT], 0])) / 2
        self.shoulder = shoulders + 0.012
        spread = max(abs(float(joints[HIP[side], 0]) - self.hips[0]) for side in (RIGHT, LEFT))
        self.hip = max(person.build.hip + 0.014, spread + 0.054 * person.build.thickness)
        self.slim = 0.7 + 0.3 * float(np.cos(person.skeleton.turn))
        self.front = self.shoulder * 0.55 * float(np.sin(person.skeleton.turn))

    def _joint(self, index: int) -> Vector:
        x, y, z = self.person.skeleton.joints[index]
        return float(x), float(y), float(z)

    def outline(
        self, ease: float, straight: float, end: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Half widths from the shoulders down to `end`, body units below the neck.

        Args:
            ease: Added all around, body units.
            straight: How far the waist is filled up, 0..1.
            end: Where the outline ends; below the hips it hangs straight.
        """
        build = self.person.build
        chest, hip = self.shoulder * 0.86, self.hip
        waist = build.waist * self.slim
        waist += straight * max(0.0, 0.5 * (chest + hip) - waist)
        points = [
            (-0.030, 0.022),
            (-0.020, 0.030 + ease),
            (-0.014, self.shoulder * 0.60),
            (-0.004, self.shoulder * 0.93),
            (0.016, self.shoulder + ease * 0.5),
            (0.050, self.shoulder * 0.93 + ease),
            (0.100, chest + ease),
            (0.62 * self.length, waist + ease),
            (0.97 * self.length, hip + ease),
            (self.length + 0.035, hip + ease + 0.002),
            (self.length + 0.30, hip + ease + 0.012),
        ]
        kept = [point for point in points if point[0] < end - 0.01]
        ways, widths = zip(*points, strict=True)
        return smooth_outline([*kept, (end, float(np.interp(end, ways, widths)))])

    def surface(self, ease: float, straight: float, end: float) -> Surface:
        """The trunk as a shape down to `end`; see `outline`."""
        return column_surface(
            self.canvas, self.neck, self.hips, self.outline(ease, straight, end), self.person.light
        )

    def paint_skin(self) -> None:
        """Neck, chest and belly."""
        person = self.person
        x, y, _ = person.skeleton.head_center
        throat = np.array([[[self.neck[0], self.neck[1] + 0.01, 0.0], [x, y + 0.02, 0.0]]])
        limb = measure_limb(self.canvas, throat, (0.0,), 0.04, person.light)
        radius = 0.0285 * (0.6 + 0.4 * person.build.thickness)
        neck = limb.surface((radius * 1.12,), (radius,), (0.0,), 0.005)
        color = skin_color(person.skin, neck)
        chin = np.exp(np.maximum(neck.along * -1 + np.float32(0.075), 0) * -45)
        color *= 1 - np.float32(0.38) * chin
        self.canvas.paint(limb.window, neck.distance, color, LABELS["skin"])
        body = self.surface(0.0, 0.0, self.length + 0.05)
        self.canvas.paint(body.window, body.distance, self._chest_color(body), LABELS["skin"])
        if person.outfit.top.neckline == "collar":
            top = person.outfit.top
            collar = limb.surface((radius * 1.12 + 0.006,), (radius + 0.005,), (0.0,), 0.005)
            collar = collar.cut(collar.along - np.float32(0.042))
            label = LABELS["dress" if top.dress else "top"]
            self.canvas.paint(limb.window, collar.distance, cloth_color(top.fabric, collar, 0.03), label)

    def _chest_color(self, body: Surface) -> Field:
        """Skin of the trunk with the navel hinted at."""
        color = skin_color(self.person.skin, body)
        side = body.across * np.float32(self.shoulder)
        navel = np.exp(
            (((body.along - 0.72 * self.length) / 0.008) ** 2 + ((side - self.front) / 0.006) ** 2) * -1
        )
        return np.asarray(color * (1 - np.float32(0.25) * navel), np.float32)

    def _without_neckline(self, surface: Surface, top: Top) -> Surface:
        x = surface.window.x - np.float32(self.neck[0] + self.front * 0.4)
        y = surface.window.y - np.float32(self.neck[1])
        depth = top.depth
        if top.neckline == "collar":
            return surface
        if top.neckline == "vee":
            wide = 0.046
            slope = wide / (depth + 0.03)
            hole = (np.abs(x) - np.float32(slope) * (np.float32(depth) - y)) * np.float32(
                1 / np.hypot(1, slope)
            )
        elif top.neckline == "straps":
            bodice = y - np.float32(depth) - np.float32(6) * (np.abs(x) - 0.045) ** 2
            strap = np.abs(np.abs(x) - np.float32(self.shoulder * 0.62)) - np.float32(0.007)
            hole = np.maximum(bodice, -strap)
        else:
            hole = ellipse(x, y, (0, -0.02), (0.078 if top.neckline == "boat" else 0.046, depth + 0.02))
        return surface.cut(-hole)

    def paint_top(self) -> None:
        """Shirt, blouse or the upper part of a dress."""
        top = self.person.outfit.top
        ease, straight, end = top.ease, min(1.0, top.ease * 60), top.hem
        if top.dress:
            ease, straight, end = 0.003 + self.person.outfit.bottom.ease * 0.3, 0.0, 0.68
        elif top.tucked:
            straight, end = straight * 0.3, min(end, 0.70)
        else:
            ease = max(ease, self.person.outfit.bottom.ease + 0.004)
        surface = self.surface(ease, straight, end * self.length)
        surface = self._without_neckline(surface, top)
        color = cloth_color(top.fabric, surface, self.shoulder)
        bust = self.person.build.bust * 0.16
        for side in (RIGHT, LEFT):
            place = ((surface.across - 0.45 * side - self.front * 4) * 2.6) ** 2
            color *= 1 - np.float32(bust) * np.exp((place + ((surface.along - 0.125) * 42) ** 2) * -1)
        label = LABELS["dress" if top.dress else "top"]
        self.canvas.shadow(surface.window, surface.distance, 0.008, 0.25)
        self.canvas.paint(surface.window, surface.distance, color, label)

    def paint_bottom(self) -> None:
        """The seat of trousers, or a skirt."""
        if self.person.outfit.bottom.kind == "skirt":
            self._paint_skirt()
            return
        bottom = self.person.outfit.bottom
        end = self.length + 0.085
        surface = self.surface(bottom.ease, 0.0, end)
        side = surface.across * np.float32(self.person.build.hip)
        surface = surface.cut(np.float32(0.66 * self.length) - surface.along)
        # The seat blends into the trouser legs: it fades out towards an edge that rises to the sides.
        fade = bounded((end - surface.along - np.float32(0.5) * np.abs(side)) * np.float32(1 / 0.05), 0, 1)
        color = cloth_color(bottom.fabric, surface, self.person.build.hip)
        self.canvas.paint(surface.window, surface.distance, color, LABELS["pants"], fade)

    def _paint_skirt(self) -> None:
        person, bottom = self.person, self.person.outfit.bottom
        joints, fraction = person.skeleton.joints, 0.64
        top = (
            self.neck[0] + fraction * (self.hips[0] - self.neck[0]),
            self.neck[1] + fraction * (self.hips[1] - self.neck[1]),
            0.0,
        )
        knees = joints[[HIP[RIGHT] + 1, HIP[LEFT] + 1]]
        foot: Vector = (
            float(knees[:, 0].mean()) * 0.5 + self.hips[0] * 0.5,
            float(knees[:, 1].mean()),
            0.0,
        )
        seat = self.hips[1] - top[1]
        end = seat + bottom.length * 0.45 * person.build.leg
        hip = self.hip + 0.003 + bottom.ease
        reach = float(np.abs(knees[:, 0] - foot[0]).max()) + 0.040 * person.build.thickness
        below = min(1.0, bottom.length / 0.5)
        hem = max(hip + bottom.flare * (end - seat) / 0.2, hip + (reach - hip) * below)
        waist = person.build.waist * self.slim + 0.004 + bottom.ease * 0.3
        outline = smooth_outline(
            [(0.0, waist), (0.35 * seat, waist * 0.6 + hip * 0.4), (seat, hip), (end, hem)]
        )
        surface = column_surface(self.canvas, top, foot, outline, person.light, 0.7)
        surface = surface.cut(surface.along - np.float32(end) + np.float32(0.014) * surface.across**2)
        pleats = 9 + 60 * max(0.0, bottom.flare)
        color = cloth_color(bottom.fabric, surface, hem, pleats)
        label = LABELS["dress" if person.outfit.top.dress else "skirt"]
        self.canvas.paint(surface.window, surface.distance, color, label)

    def paint_outer(self) -> None:
        """The two halves of an open jacket."""
        outer = self.person.outfit.outer
        if outer is None:
            return
        surface = self.surface(self.person.outfit.top.ease + 0.008, 0.7, outer.hem * self.length)
        gap = np.float32(outer.opening) * (np.float32(0.75) + np.float32(0.9) * surface.along)
        half = np.float32(self.shoulder)
        surface = surface.cut((gap - np.abs(surface.across - np.float32(self.front * 3))) * half)
        color = cloth_color(outer.fabric, surface, self.shoulder)
        self.canvas.shadow(surface.window, surface.distance, 0.010, 0.3)
        self.canvas.paint(surface.window, surface.distance, color, LABELS["outer"])
