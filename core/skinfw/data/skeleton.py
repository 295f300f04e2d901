"""Draws a BODY_25 pose as OpenPose does, or as plain lines."""

from __future__ import annotations

from math import ceil, sqrt

import cv2
import numpy as np

from skinfw.components.config import Size
from skinfw.components.field_names import LineStyle
from skinfw.data.keypoints import Keypoints
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage

LIMBS = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13),
    (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22), (22, 23),
    (11, 24),
)  # fmt: skip
"""Pairs of BODY_25 indices, in the order in which OpenPose draws them (poseParameters, release 1.7)."""

COLORS = (
    (255, 0, 85), (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (255, 0, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (255, 0, 170), (170, 0, 255), (255, 0, 255), (85, 0, 255), (0, 0, 255), (0, 0, 255),
    (0, 0, 255), (0, 255, 255), (0, 255, 255), (0, 255, 255),
)  # fmt: skip
"""RGB of each keypoint; a limb has the color of its second keypoint."""

DRAWN_ABOVE = 0.05
"""Confidence above which OpenPose draws a point."""

BOX_ABOVE = 0.1
"""Confidence above which a point counts for the person's box, which determines the thickness."""

LINE_FRACTION = 1 / 128
"""Width of plain lines as a fraction of the image's longer side: 4 of 512 pixels."""

MIN_CANVAS = 512
"""Longer side in pixels for drawing small poses: that of the report's photos. OpenPose's lines are at least
2 pixels thick and have hard edges, so drawn at a small size they are thicker and rougher than when
resized to it."""


def _rounded(value: float) -> int:
    """Round half up as OpenPose's ``intRound``; Python's ``round`` rounds half to even."""
    return int(np.floor(value + 0.5))


def line_thickness(keypoints: Keypoints, size: Size) -> int:
    """Return the outline thickness of circles in pixels; limbs use three quarters of it."""
    height, width = size
    points = keypoints.points[keypoints.found(BOX_ABOVE), :2]
    fraction = 0.0
    if len(points):
        box_width, box_height = np.ptp(points, axis=0)
        fraction = min(1.0, max(float(box_width) / width, float(box_height) / height))
    return max(2, _rounded(sqrt(width * height) / 75 * fraction))


def draw_skeleton(keypoints: Keypoints, size: Size) -> RgbImage:
    """Draw a pose with OpenPose's colors, limbs and thicknesses on black.

    Args:
        keypoints: the pose, in pixels of the image to draw.
        size: height and width in pixels.

    Returns:
        uint8 RGB ``(H, W, 3)``.
    """
    canvas = np.zeros((*size, 3), np.uint8)
    thickness = line_thickness(keypoints, size)
    places, limbs = _places(keypoints)
    for first, second in limbs:
        width = max(1, _rounded(0.75 * thickness))
        cv2.line(canvas, places[first], places[second], COLORS[second], width, cv2.LINE_8)
    for index, place in places.items():
        cv2.circle(canvas, place, thickness // 2, COLORS[index], thickness, cv2.LINE_8)
    return canvas


def draw_lines(keypoints: Keypoints, size: Size) -> RgbImage:
    """Draw a pose as white limbs of one width on black; a point without a limb is a dot.

    The width depends only on the image's size (`LINE_FRACTION`), not on the person's.

    Args:
        keypoints: the pose, in pixels of the image to draw.
        size: height and width in pixels.

    Returns:
        uint8 RGB ``(H, W, 3)``.
    """
    canvas = np.zeros((*size, 3), np.uint8)
    width = max(1, _rounded(LINE_FRACTION * max(size)))
    places, limbs = _places(keypoints)
    for first, second in (*limbs, *((index, index) for index in places)):
        cv2.line(canvas, places[first], places[second], (255, 255, 255), width, cv2.LINE_8)
    return canvas


def _places(keypoints: Keypoints) -> tuple[dict[int, tuple[int, int]], list[tuple[int, int]]]:
    """Return the pixels of the drawn points by index, and the limbs between them."""
    # beyond this OpenCV's line clipping overflows; nothing so far away reaches the image
    pixels = np.clip(keypoints.points[:, :2], -(2**14), 2**14)
    found = np.flatnonzero(keypoints.found(DRAWN_ABOVE)).tolist()
    places = {
        index: (_rounded(float(pixels[index, 0])), _rounded(float(pixels[index, 1]))) for index in found
    }
    return places, [limb for limb in LIMBS if limb[0] in places and limb[1] in places]


def draw_pose(keypoints: Keypoints, size: Size, style: LineStyle = "skeleton") -> RgbImage:
    """Draw a pose in a style, uint8 RGB ``(H, W, 3)``; see `draw_skeleton` and `draw_lines`."""
    return draw_lines(keypoints, size) if style == "lines" else draw_skeleton(keypoints, size)


def draw_resized_pose(keypoints: Keypoints, size: Size, style: LineStyle = "skeleton") -> RgbImage:
    """Draw a pose as if drawn on the full photo and resized to a small size.

    It is drawn at an integer multiple of the size, with at least `MIN_CANVAS` pixels on the longer side, and
    averaged down; at that size and above it equals `draw_pose`.

    Args:
        keypoints: the pose, in pixels of the returned image.
        size: its height and width in pixels.
        style: the drawing style.

    Returns:
        uint8 RGB ``(H, W, 3)``.
    """
    times = max(1, ceil(MIN_CANVAS / max(size)))
    canvas = (size[0] * times, size[1] * times)
    return resize_image(draw_pose(keypoints.resized(size, canvas), canvas, style), size)
