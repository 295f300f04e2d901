"""Reads pose files: OpenPose's JSON and similar formats of other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.errors import DataError
from skinfw.system.regular_file import read_regular

KEYS = ("pose_keypoints_2d", "pose_keypoints")
"""The key of a person's points, and the key in OpenPose's first releases."""

_OTHER_KEYS = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
"""The keys of face and hands; a person has only these if the body was not searched."""

MAX_BYTES = 4 * 2**20
"""Maximum file size: more than a crowd with faces and hands needs."""

MAX_CONFIDENCE = 1.5
"""OpenPose's confidences slightly exceed 1; percentages and other scores exceed it by more."""

_COCO_VISIBILITY = {0: 0.0, 1: 0.5, 2: 1.0}
"""Confidence of COCO's flags: not labeled, labeled but hidden, visible."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class PoseFile:
    """The content of a pose file.

    Attributes:
        people: x, y and confidence of each person's points, float64 ``(N, 3)``, in the file's order and
            units, without people who have no points; a point that was not found is 0, 0, 0.
        canvas: height and width of the canvas that the coordinates refer to, as in ControlNet's files; None
            if the file does not say.
    """

    people: list[Points]
    canvas: Size | None = None


def read_pose_file(path: Path) -> PoseFile:
    """Read a pose file.

    The formats are OpenPose's ``{"people": [{"pose_keypoints_2d": [x, y, confidence, ...]}]}``, ControlNet's
    with ``canvas_width`` and ``canvas_height``, which may wrap the frame in a list, and
    ``{"keypoints": [...]}`` of one person, in rows as in Dress Code or flat as in COCO. People without
    points, such as ``null``, are skipped.

    Raises:
        DataError: the file cannot be read or is larger than `MAX_BYTES`, has another format, or contains
            values that are not coordinates and confidences.
    """
    try:
        return poses_of(read_regular(path, MAX_BYTES), path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def poses_of(data: bytes, path: Path) -> PoseFile:
    """Return the content of a pose file that was read already; see `read_pose_file`.

    Args:
        data: the bytes of the file.
        path: names it in errors.
    """
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _rejected(path, f"not JSON: {error}") from error
    frame = _frame(content, path)
    people = [_checked(numbers, path, place) for place, numbers in _people(frame, path)]
    return PoseFile([points for points in people if (points[:, 2] > 0).any()], _canvas(frame, path))


def check_confidences(path: Path, people: Sequence[Points]) -> None:
    """Reject confidences on another scale, such as percentages.

    Raises:
        DataError: one is above `MAX_CONFIDENCE`.
    """
    greatest = max((float(points[:, 2].max()) for points in people), default=0.0)
    if greatest > MAX_CONFIDENCE:
        raise DataError(
            f"{path}: has a confidence of {greatest:g}; confidences must be from 0 to 1, so this is another "
            "format or scale: convert the file"
        )


def _rejected(path: Path, why: str) -> DataError:
    return DataError(
        f"{path}: not OpenPose JSON (expected people[].pose_keypoints_2d, or Dress Code's keypoints): {why}"
    )


def _frame(content: Any, path: Path) -> Mapping[str, Any]:
    """Return the object with the people: the file's own, or its only frame."""
    if isinstance(content, list):
        if len(content) != 1:
            raise _rejected(path, f"it is a list of {len(content)} frames; a photo has one")
        content = content[0]
    if not isinstance(content, dict):
        raise _rejected(path, "it contains no object")
    return content


def _canvas(frame: Mapping[str, Any], path: Path) -> Size | None:
    sides: list[Any] = [frame.get("canvas_height"), frame.get("canvas_width")]
    if sides == [None, None]:
        return None
    if not all(_is_number(side) and 1 <= side <= 1e6 for side in sides):
        raise _rejected(path, "canvas_height and canvas_width must both be numbers of pixels")
    return round(frame["canvas_height"]), round(frame["canvas_width"])


def _people(frame: Mapping[str, Any], path: Path) -> list[tuple[str, list[Any]]]:
    """Return the flat numbers of each person, with the person's name in errors."""
    if "people" not in frame and "keypoints" in frame:
        return [("the person", _of_one_person(frame["keypoints"], path))]
    people = frame.get("people")
    if not isinstance(people, list):
        raise _rejected(path, "people is not a list" if "people" in frame else "it has no people")
    found, lacking = [], None
    for number, person in enumerate(people, 1):
        if person is not None and not isinstance(person, dict):
            raise _rejected(path, f"person {number} is not an object")
        key = next((key for key in reversed(KEYS) if key in (person or {})), None)
        if key is None or person is None:
            if not any(other in (person or {}) for other in _OTHER_KEYS):
                lacking = lacking or number
            continue
        numbers = person[key]
        if numbers is not None and not isinstance(numbers, list):
            raise _rejected(path, f"{key} of person {number} is not a list")
        if numbers:
            found.append((f"person {number}", numbers))
    if not found and lacking is not None:
        raise _rejected(path, f"person {lacking} has no {KEYS[0]}")
    return found


def _of_one_person(keypoints: Any, path: Path) -> list[Any]:
    if not isinstance(keypoints, list):
        raise _rejected(path, "keypoints is not a list")
    if not any(isinstance(row, list) for row in keypoints):
        flags = keypoints[2::3]
        if all(isinstance(flag, int) and flag in _COCO_VISIBILITY for flag in flags) and 2 in flags:
            return [
                _COCO_VISIBILITY[value] if place % 3 == 2 else value for place, value in enumerate(keypoints)
            ]
        return keypoints
    # the fourth number of Dress Code's rows is the point's index
    if not all(isinstance(row, list) and len(row) in (3, 4) for row in keypoints):
        raise _rejected(path, "keypoints must be rows of x, y, confidence and index")
    return [value for row in keypoints for value in row[:3]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _checked(numbers: list[Any], path: Path, person: str) -> Points:
    """Return a person's points, ``(N, 3)``; those that were not found are 0, 0, 0."""
    if not all(_is_number(value) and abs(value) < 1e9 for value in numbers):  # also False for NaN
        place = next(at for at, value in enumerate(numbers) if not (_is_number(value) and abs(value) < 1e9))
        raise DataError(
            f"{path}: a person's points must be a list of finite numbers: number {place + 1} of {person} is "
            f"{str(numbers[place])[:20]!r}"
        )
    if len(numbers) % 3:
        raise DataError(
            f"{path}: {len(numbers)} numbers for a person; expected x, y and confidence for each point"
        )
    points = np.array(numbers, np.float64).reshape(-1, 3)
    points[points[:, 2] <= 0] = 0
    # for a point that was not found, some programs write 0 or -1 as both coordinates, with any confidence
    points[((points[:, :2] == 0) | (points[:, :2] == -1)).all(axis=1)] = 0
    return points
