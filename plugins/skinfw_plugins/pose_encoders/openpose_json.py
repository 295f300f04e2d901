"""Pose files of OpenPose, ControlNet, COCO and Dress Code as BODY_25 in pixels of the photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.pose_file import Points, check_confidences, read_pose_file
from skinfw.data.skeleton import LIMBS
from skinfw.errors import DataError
from skinfw_plugins.pose_encoders.inside import check_inside
from skinfw_plugins.pose_encoders.orders import ORDERS, to_body_25

READ = ("body_25", "body_25b", "coco_18", "coco_17")
"""The orders of points that are read; of those with equally many points, the first is the default."""

Unit = Literal["pixels", "zero_one", "plus_minus_one"]

_CLEARLY = 0.8
"""Maximum ratio of an order's limb lengths to the default order's for it to be chosen instead.
For 729 whole people, the wrong order made limbs at least 1.3 times as long as the right one."""

_MIN_LIMBS = 6
"""Number of limbs that both orders need for the comparison."""

_BEYOND = 1.2
"""Largest coordinate of a range of 1: points may lie a little outside the image."""

_MIN_NORMALIZED = 3
"""Minimum number of points for such small coordinates to be a range instead of a few pixels."""

_ASPECT = 1.1
"""Maximum ratio of aspects for a canvas of the whole photo: ControlNet rounds sides to multiples of 64."""


def read_poses(
    path: Path,
    order: str | None = None,
    size: Size | None = None,
    pixels_of: Size | None = None,
    coordinates: Unit | None = None,
) -> list[Keypoints]:
    """Read every person of a pose file; see `skinfw.data.pose_file.read_pose_file` for the formats.

    Args:
        path: the file.
        order: one of `READ`; None: chosen by the number of points and the body that they form.
        size: height and width of the photo in pixels; None: the poses stay in pixels of the file's image.
        pixels_of: height and width of the image that the file refers to; None: the canvas in the file, else
            the photo.
        coordinates: the unit of x and y; None: a range of 1 if all points are within it.

    Raises:
        DataError: the file cannot be read, has an unknown format or number of points, or does not fit the
            photo.
    """
    file = read_pose_file(path)
    names = _order(path, file.people, order)
    check_confidences(path, file.people)
    placed = _in_pixels(path, file.people, pixels_of or file.canvas or size, coordinates)
    people = [to_body_25(points, ORDERS[names]) for points in placed]
    counted = pixels_of or file.canvas
    if size is None:
        return people
    if counted is not None and counted != size:
        _check_aspect(path, counted, size)
        people = [pose.resized(counted, size) for pose in people]
    check_inside(people, size, str(path), "set pixels_of to the size that they refer to")
    return people


def _order(path: Path, people: Sequence[Points], order: str | None) -> str:
    """Return the order of a file's points.

    Raises:
        DataError: the number of points does not match the given order, or any.
    """
    counts = {name: len(ORDERS[name]) for name in READ}
    for points in people:
        if order is not None and len(points) != counts[order]:
            raise DataError(
                f"{path}: {points.size} numbers for a person, but order {order!r} has {3 * counts[order]}"
            )
        if len(points) not in counts.values():
            known = " or ".join(
                f"{3 * count} ({' or '.join(name for name in READ if counts[name] == count)})"
                for count in dict.fromkeys(counts.values())
            )
            raise DataError(f"{path}: {points.size} numbers for a person, expected {known}")
    if len({len(points) for points in people}) > 1:
        raise DataError(f"{path}: its people have different numbers of points")
    if order is not None or not people:
        return order or READ[0]
    usual, *others = (name for name in READ if counts[name] == len(people[0]))
    return next((name for name in others if _makes_a_body(people, name, usual)), usual)


def _makes_a_body(people: Sequence[Points], order: str, usual: str) -> bool:
    """Return whether limbs are clearly shorter in one order than in the default one."""
    lengths: dict[str, list[float]] = {order: [], usual: []}
    for points in people:
        limbs = {name: _limb_lengths(to_body_25(points, ORDERS[name])) for name in lengths}
        if min(map(len, limbs.values())) >= _MIN_LIMBS:
            for name, each in limbs.items():
                lengths[name].append(float(np.mean(each)))
    return bool(lengths[order]) and sum(lengths[order]) < _CLEARLY * sum(lengths[usual])


def _limb_lengths(pose: Keypoints) -> list[float]:
    found, places = pose.points[:, 2] > 0, pose.points[:, :2]
    return [
        float(np.linalg.norm(places[first] - places[second]))
        for first, second in LIMBS
        if found[first] and found[second]
    ]


def _in_pixels(
    path: Path, people: Sequence[Points], size: Size | None, coordinates: Unit | None
) -> list[Points]:
    """Return points in pixels, converted if they are given in a range across an image of ``size``."""
    unit = coordinates or _unit(people)
    if unit == "pixels" or not people:
        return list(people)
    if size is None:
        raise DataError(
            f"{path}: its coordinates are a range across the image, but the image size is unknown"
        )
    height, width = size
    # OpenPose's ranges go from the center of the first pixel to the center of the last
    sides = np.array([width - 1, height - 1, 1])
    if unit == "zero_one":
        return [points * sides for points in people]
    shifted = [(points + np.array([1, 1, 0])) / np.array([2, 2, 1]) * sides for points in people]
    return [np.where(points[:, 2:] > 0, moved, 0) for points, moved in zip(people, shifted, strict=True)]


def _unit(people: Sequence[Points]) -> Unit:
    """Return the unit of coordinates, detected from their values."""
    found = [points[points[:, 2] > 0, :2] for points in people]
    places = np.concatenate([np.zeros((0, 2)), *found])
    if len(places) < _MIN_NORMALIZED or np.abs(places).max() > _BEYOND:
        return "pixels"
    return "plus_minus_one" if (places < 1 - _BEYOND).any() else "zero_one"


def _check_aspect(path: Path, counted: Size, size: Size) -> None:
    ratio = (counted[0] * size[1]) / (counted[1] * size[0])
    if max(ratio, 1 / ratio) > _ASPECT:
        raise DataError(
            f"{path}: its points refer to an image of {counted[0]}x{counted[1]}, but the photo has "
            f"{size[0]}x{size[1]} pixels (height x width), another aspect ratio, so one is cropped; find the "
            "pose in the photo itself"
        )
