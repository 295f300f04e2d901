"""Where the trunk and the hips of a body are, also if the photo or the pose shows only a part of it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.body_parts import FOUND, ZONES, Body, Point
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.segmentation import Mask

HIPS = 0.22
"""Radius of the hips around the line between the hip joints, in units of the trunk's length."""


def trunks_of_poses(
    people: Sequence[Keypoints], size: Size, *, under_arms: bool = False, within: Mask | None = None
) -> Mask | None:
    """Return where the trunks and the hips of several people are.

    Args:
        people: their poses, in pixels of the image, at least one; those but the first that join two people do
            not count.
        size: see `trunk_of_pose`.
        under_arms: see `trunk_of_pose`.
        within: see `trunk_of_pose`.

    Returns:
        bool ``(H, W)``; None if the first pose shows neither shoulders nor hips.
    """
    found = trunk_of_pose(people[0], size, under_arms=under_arms, within=within)
    for other in people[1:] if found is not None else ():
        body = Body.of(other)
        if body is not None and not body.joins_people:
            trunk = trunk_of_pose(other, size, under_arms=under_arms, within=within)
            found = found if trunk is None or found is None else found | trunk
    return found


def trunk_of_pose(
    keypoints: Keypoints, size: Size, *, under_arms: bool = False, within: Mask | None = None
) -> Mask | None:
    """Return where the trunk and the hips of a body are, based on its pose.

    If the pose lacks the shoulders or the hips, as in photos of half a person, they are placed where they are
    in a body that stands straight.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.
        under_arms: whether the trunk includes all between shoulders and hips, also under a crossed arm.
        within: the pixels of interest, see `skinfw.data.body_zones.zones_of_pose`.

    Returns:
        bool ``(H, W)``; None if the pose shows neither shoulders nor hips.
    """
    body = Body.of(keypoints)
    ends = None if body is None else _ends(body)
    if body is None or ends is None:
        return None
    whole = _straight(keypoints, body, *ends)
    zones = zones_of_pose(whole, size, within=within)
    assert zones is not None
    trunk = np.asarray(zones == ZONES.index("torso"), bool)
    if under_arms:
        corners = [whole.point(name) for name in ("RShoulder", "LShoulder", "LHip", "RHip")]
        trunk |= _polygon([corner[:2] for corner in corners if corner[2] > FOUND], size)
    joints = [whole.point(name) for name in ("RHip", "MidHip", "LHip")]
    radius = max(1, round(HIPS * float(np.linalg.norm(ends[0] - ends[1]))))
    hips = np.zeros(size, np.uint8)
    line = _pixels([joint[:2] for joint in joints if joint[2] > FOUND])
    cv2.polylines(hips, [line], isClosed=False, color=1, thickness=2 * radius)
    found: Mask = trunk | hips.astype(bool)
    return found


def _ends(body: Body) -> tuple[Point, Point] | None:
    """Return the upper and the lower end of the trunk; None if the pose shows neither."""
    top, bottom = (
        _middle(body, *names) for names in (("Neck", "RShoulder", "LShoulder"), ("MidHip", "RHip", "LHip"))
    )
    if top is not None and bottom is not None:
        return top, bottom
    if top is not None:
        head = _mean(body, "Nose", "REye", "LEye", "REar", "LEar")
        return top, top + body.unit * _direction(None if head is None else top - head)
    if bottom is not None:
        knees = _mean(body, "RKnee", "LKnee")
        return bottom - body.unit * _direction(None if knees is None else knees - bottom), bottom
    return None


def _middle(body: Body, middle: str, *sides: str) -> Point | None:
    return body.places[middle] if middle in body.places else _mean(body, *sides)


def _mean(body: Body, *names: str) -> Point | None:
    places = [body.places[name] for name in names if name in body.places]
    return np.mean(places, axis=0) if places else None


def _direction(down: Point | None) -> Point:
    """Return a vector of length 1; down if there is none."""
    length = 0.0 if down is None else float(np.linalg.norm(down))
    return np.array([0.0, 1.0]) if down is None or length == 0 else down / length


def _straight(keypoints: Keypoints, body: Body, top: Point, bottom: Point) -> Keypoints:
    """Return a pose with the shoulders or the hips that it lacks altogether."""
    axis = _direction(bottom - top)
    across = np.array([axis[1], -axis[0]])  # from the person's right to the left, seen from the front
    points = keypoints.points.copy()
    # shoulders are two thirds of the trunk's length apart, see the unit of a body
    for middle, place, half in (("Neck", top, 1 / 3), ("MidHip", bottom, 0.15)):
        sides = ("RShoulder", "LShoulder") if middle == "Neck" else ("RHip", "LHip")
        if not any(name in body.places for name in (middle, *sides)):
            aside = half * body.unit * across
            for name, there in zip((middle, *sides), (place, place - aside, place + aside), strict=True):
                points[BODY_25.index(name)] = (*there, 1)
        elif middle not in body.places:
            points[BODY_25.index(middle)] = (*place, 1)
    return Keypoints(points)


def _polygon(corners: Sequence[NDArray[np.float32]], size: Size) -> Mask:
    """Return the pixels between corners (x, y), bool ``(H, W)``; none for fewer than three corners."""
    inside = np.zeros(size, np.uint8)
    if len(corners) > 2:
        cv2.fillPoly(inside, [_pixels(corners)], color=1)
    return inside.astype(bool)


def _pixels(places: Sequence[NDArray[np.float32]]) -> NDArray[np.int32]:
    """Return places as OpenCV draws them."""
    return np.clip(np.rint(places), -(2**14), 2**14).astype(np.int32).reshape(-1, 1, 2)
