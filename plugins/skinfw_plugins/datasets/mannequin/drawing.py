"""Drawing a person: the backdrop, then the body and its garments from back to front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .body import HIP, LEFT, RIGHT, SHOULDER
from .canvas import Canvas, bounded
from .head import Head
from .limbs import paint_arm, paint_leg
from .person import Backdrop, Person, sample_person
from .trunk import Trunk
from .tubes import ellipse


@dataclass(frozen=True)
class Drawing:
    """A drawn person.

    Attributes:
        image: uint8 RGB `(H, W, 3)`.
        labels: uint8 `(H, W)`, indices into `CLASSES`, of the topmost layer.
        points: BODY_25 keypoints, float32 `(25, 3)`: x and y in pixels, where (0, 0) is the center of the
            first pixel, and a confidence of 1; all three are 0 if a point lies outside the image.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    points: NDArray[np.float32]


def _fitted_canvas(person: Person, size: tuple[int, int]) -> tuple[Canvas, float, float]:
    """Return a canvas that the person fills from top to bottom, or across if it is narrow."""
    height, width = size
    left, top, right, bottom = person.extent()
    scale = min(person.fill * height / (bottom - top), 0.97 * width / (right - left))
    free_x, free_y = width - scale * (right - left), height - scale * (bottom - top)
    # At most a sixth of the free width: the person stays near the middle of a wide image.
    x = free_x * (0.5 + 0.16 * person.shift[0]) - left * scale - 0.5
    y = free_y * (0.5 + 0.25 * person.shift[1]) - top * scale - 0.5
    return Canvas(size, (x, y), scale), x, y


def _paint_backdrop(canvas: Canvas, person: Person) -> None:
    backdrop: Backdrop = person.backdrop
    height, width = canvas.labels.shape
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, width, dtype=np.float32)[None]
    feet = person.skeleton.joints[[HIP[RIGHT] + 2, HIP[LEFT] + 2]].mean(0)
    horizon = np.float32(feet[1] - 0.06)
    floor = bounded((canvas.rows[:, None] - horizon) * 16, 0, 1)
    wall_light = 1.02 - 0.22 * ((columns - backdrop.glow[0]) ** 2 + (rows - backdrop.glow[1]) ** 2)
    level = (wall_light * (1 - floor * np.float32(0.06))).astype(np.float32)
    np.multiply(backdrop.wall + (backdrop.floor - backdrop.wall) * floor, level, out=canvas.colors)
    left, _, right, bottom = person.extent()
    window = canvas.window(left - 0.6, bottom - 0.15, right + 0.6, bottom + 0.1)
    lean = -0.12 * person.light[0]
    spot = ellipse(window.x, window.y, (float(feet[0]) + lean, bottom - 0.032), (0.17, 0.022))
    canvas.shadow(window, spot, 0.008, 0.30, floor=True)


def _paint_person(canvas: Canvas, person: Person) -> None:
    joints = person.skeleton.joints
    head = Head(canvas, person.skeleton, person.build.head, person.light)
    trunk = Trunk(canvas, person)
    behind = [side for side in (RIGHT, LEFT) if joints[SHOULDER[side] + 2, 2] < -0.07]
    head.paint_back_hair(person.hair)
    for side in behind:
        paint_arm(canvas, person, side)
    trunk.paint_skin()
    for side in sorted((RIGHT, LEFT), key=lambda side: float(joints[HIP[side] + 2, 2])):
        paint_leg(canvas, person, side)
    garments = (trunk.paint_top, trunk.paint_bottom)
    for paint in garments if person.outfit.top.tucked else reversed(garments):
        paint()
    trunk.paint_outer()
    for side in (RIGHT, LEFT):
        if side not in behind:
            paint_arm(canvas, person, side)
    head.paint(person.skin, person.hair, person.iris)


def draw_person(seed: int, size: tuple[int, int]) -> Drawing:
    """Draw the person for a seed.

    Args:
        seed: Determines everything about the person, so that another size shows the same person.
        size: Height and width of the image in pixels.

    Returns:
        The image with its label map and keypoints.
    """
    person = sample_person(seed)
    canvas, origin_x, origin_y = _fitted_canvas(person, size)
    _paint_backdrop(canvas, person)
    _paint_person(canvas, person)
    points = np.ones((25, 3), np.float32)
    points[:, 0] = person.skeleton.joints[:, 0] * canvas.scale + origin_x
    points[:, 1] = person.skeleton.joints[:, 1] * canvas.scale + origin_y
    inside = (points[:, :2] >= -0.5).all(1) & (points[:, 0] < size[1] - 0.5) & (points[:, 1] < size[0] - 0.5)
    points[~inside] = 0
    return Drawing(canvas.image(), canvas.labels, points)
