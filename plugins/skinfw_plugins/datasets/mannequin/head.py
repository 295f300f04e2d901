"""Heads: hair behind the body, then face, ears, features and the hair in front."""

from __future__ import annotations

from math import cos, sin

import numpy as np

from .body import EAR_PLACE, EYE_PLACE, LEFT, NOSE_TIP, RIGHT, Skeleton, Vector, head_place
from .canvas import LABELS, Canvas, Field, Window, bounded
from .colors import color_of
from .looks import Hair, Skin
from .materials import AMBIENT, hair_color
from .tubes import ellipse

LIP_COLOR = color_of("#a8484c")
EYE_WHITE = color_of("#ece8e2")
IRIS_COLORS = tuple(color_of(code) for code in ("#2a1a12", "#4a2f1c", "#3d5a6b", "#4f5f3a"))


class Head:
    """The head of one person on one canvas, measured once for everything painted on it.

    Points are in half head heights from the head's center, upright: x to the image's right, y
    down; the crown is at y = -1 and the chin at y = 1.
    """

    def __init__(self, canvas: Canvas, skeleton: Skeleton, half: float, light: Vector) -> None:
        """Measure the head whose half height is `half` body units."""
        self.canvas = canvas
        self.skeleton = skeleton
        self.half = half
        self.light = light

    def measure(self, left: float, top: float, right: float, bottom: float) -> tuple[Window, Field, Field]:
        """A window around the head (sides in half head heights) and the positions of its pixels."""
        x, y, _ = self.skeleton.head_center
        window = self.canvas.window(
            x + left * self.half, y + top * self.half, x + right * self.half, y + bottom * self.half
        )
        roll = self.skeleton.head_roll
        along_x = (window.x - np.float32(x)) * np.float32(1 / self.half)
        along_y = (window.y - np.float32(y)) * np.float32(1 / self.half)
        c, s = np.float32(cos(roll)), np.float32(sin(roll))
        return window, along_x * c + along_y * s, along_y * c - along_x * s

    def place(self, place: Vector) -> tuple[float, float]:
        """Where a point on the unturned head appears, in half head heights."""
        x, y, _ = head_place(place, self.skeleton.head_turn, 0.0)
        return x, y

    def paint_back_hair(self, hair: Hair) -> None:
        """Hair that falls behind neck and shoulders; painted before the body."""
        if hair.cut not in ("bob", "long"):
            return
        length = 1.15 if hair.cut == "bob" else 1.9 + 0.9 * abs(hair.parting)
        window, x, y = self.measure(-1.5, -1.3, 1.5, length + 0.3)
        width = np.float32(0.86 + 0.12 * hair.curl)
        wave = np.float32(0.03 + 0.05 * hair.curl) * np.sin(y * (4 + 4 * hair.curl))
        tube = np.maximum(
            np.abs(x) + wave - width, np.maximum(-0.2 - y, y - length + np.float32(0.25) * x * x)
        )
        shape = np.minimum(tube, ellipse(x, y, (0, -0.15), (float(width), 0.95)))
        color = hair_color(hair, x, y, self.light) * np.float32(0.8)
        self.canvas.paint(window, shape * np.float32(self.half), color, LABELS["hair"])

    def paint(self, skin: Skin, hair: Hair, iris: int) -> None:
        """Ears, face, its features and the hair around it; painted after neck and garments."""
        window, x, y = self.measure(-1.35, -1.5, 1.35, 1.2)
        self._paint_face(window, x, y, skin)
        self._paint_features(window, x, y, skin, hair, iris)
        self._paint_front_hair(window, x, y, hair)

    def _paint_face(self, window: Window, x: Field, y: Field, skin: Skin) -> None:
        skull = ellipse(x, y, (0, -0.22), (0.71, 0.78))
        jaw = ellipse(x, y, (0, 0.22), (0.62, 0.78))
        shape = np.minimum(skull, jaw)
        for side in (RIGHT, LEFT):
            ear_x, ear_y = self.place((side * EAR_PLACE[0], EAR_PLACE[1], EAR_PLACE[2]))
            shape = np.minimum(shape, ellipse(x, y, (ear_x, ear_y), (0.11, 0.19)))
        side_x, down = x * np.float32(1.15), y * np.float32(0.6)
        towards = np.sqrt(np.maximum(1 - side_x * side_x - down * down, 0.02))
        light = bounded(side_x * self.light[0] + down * self.light[1] + towards * self.light[2], 0, 1)
        level = bounded(AMBIENT + (1.09 - AMBIENT) * light, 0, 1)
        nose_x, _ = self.place(NOSE_TIP)
        for side in (RIGHT, LEFT):
            eye_x, eye_y = self.place((side * EYE_PLACE[0], EYE_PLACE[1] - 0.02, EYE_PLACE[2]))
            level -= 0.16 * np.exp(((x - eye_x) ** 2 * 16 + (y - eye_y) ** 2 * 40) * -1)
        shadow_x = nose_x - 0.10 * np.sign(self.light[0])
        level -= 0.20 * np.exp(((x - shadow_x) ** 2 * 90 + (y - NOSE_TIP[1] - 0.04) ** 2 * 40) * -1)
        level -= 0.13 * np.exp(((x - shadow_x) ** 2 * 120 + (y - 0.14) ** 2 * 20) * -1)
        level += 0.07 * np.exp(((x - nose_x * 0.8) ** 2 * 150 + (y - 0.18) ** 2 * 14) * -1)
        color = skin.shade + (skin.lit - skin.shade) * level.astype(np.float32)
        self.canvas.shadow(window, shape * np.float32(self.half), 0.008, 0.25)
        self.canvas.paint(window, shape * np.float32(self.half), color, LABELS["face"])

    def _paint_features(self, window: Window, x: Field, y: Field, skin: Skin, hair: Hair, iris: int) -> None:
        def dab(across: Field, center: tuple[float, float], radii: tuple[float, float], color: Field) -> None:
            shape = ellipse(across, y, center, radii) * np.float32(self.half)
            self.canvas.paint(window, shape, color, None, 0.9)

        dark = skin.shade * np.float32(0.45)
        brow = (dark + hair.color * np.float32(0.6)) * np.float32(0.6)
        left, eye_y = self.place((EYE_PLACE[0], EYE_PLACE[1], EYE_PLACE[2]))
        right, _ = self.place((-EYE_PLACE[0], EYE_PLACE[1], EYE_PLACE[2]))
        # Both eyes are equally far from the midline: one mark on a folded face makes two.
        middle, apart = (left + right) / 2, (left - right) / 2
        folded = np.abs(x - np.float32(middle))
        dab(folded, (apart, eye_y - 0.03), (0.155, 0.085), dark)
        dab(folded, (apart, eye_y), (0.125, 0.062), EYE_WHITE)
        dab(folded, (apart, eye_y - 0.005), (0.062, 0.066), IRIS_COLORS[iris])
        dab(folded, (apart + 0.01, eye_y - 0.21), (0.17, 0.035), brow)
        mouth_x, mouth_y = self.place((0.0, 0.60, 0.68))
        lips = (
            LIP_COLOR * np.float32(0.35) + skin.lit * np.array([0.55, 0.38, 0.36], np.float32)[:, None, None]
        )
        dab(x, (mouth_x, mouth_y), (0.20, 0.07), lips)
        dab(x, (mouth_x, mouth_y - 0.005), (0.19, 0.02), dark)

    def _paint_front_hair(self, window: Window, x: Field, y: Field, hair: Hair) -> None:
        if hair.cut == "bald":
            return
        thick = {"buzz": 0.02, "short": 0.10, "bob": 0.12, "long": 0.12, "bun": 0.06}[
            hair.cut
        ] + 0.12 * hair.curl
        cap = ellipse(x, y, (0, -0.22), (0.73 + thick, 0.80 + thick))
        if hair.curl > 0.3:
            cap += np.float32(0.035) * np.sin(np.arctan2(y + 0.2, x) * 17)
        turn_x, _ = self.place((0.0, 0.0, 0.8))
        parting = 0.0 if hair.cut in ("buzz", "bun") else 0.22 * hair.parting
        opening = ellipse(x, y, (turn_x * 0.6 + parting, 0.42), (0.66, 0.98))
        side_end = {"buzz": 0.0, "short": 0.12, "bob": 1.05, "long": 1.2, "bun": 0.05}[hair.cut]
        if hair.cut in ("bob", "long"):
            cap = np.minimum(
                cap, np.maximum(np.abs(x) - np.float32(0.73 + thick), np.maximum(-y, y - side_end))
            )
            opening = np.minimum(opening, np.maximum(np.abs(x) - np.float32(0.63), 0.2 - y))
        shape = np.maximum(np.maximum(cap, -opening), y - np.float32(side_end))
        if hair.cut == "bun":
            shape = np.minimum(shape, ellipse(x, y, (0.1 * hair.parting, -1.12), (0.34, 0.30)))
        self.canvas.paint(
            window,
            shape * np.float32(self.half),
            hair_color(hair, x, y, self.light),
            LABELS["hair"],
        )
