"""OpenPose's JSON files of any age, and Dress Code's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.errors import DataError
from skinfw_plugins.pose_encoders.orders import COCO_18, to_body_25

ORDERS = {"body_25": BODY_25, "coco_18": COCO_18}
KEY, OLD_KEY = "pose_keypoints_2d", "pose_keypoints"
"""What a person's points are called, and what they were called in OpenPose's first releases."""


def read_poses(path: Path, order: str | None = None) -> list[Keypoints]:
    """Read every person of a JSON file, in pixels of the picture that the file was made of.

    Read are OpenPose's ``{"people": [{"pose_keypoints_2d": [x, y, score, ...]}]}`` (``pose_keypoints`` in
    files of its first releases) and Dress Code's ``{"keypoints": [[x, y, score, id], ...]}``, which holds one
    person; there a point that was not found is -1 or 0.

    Args:
        path: the file.
        order: ``body_25`` or ``coco_18``; None: by the number of points.

    Raises:
        DataError: the file cannot be read, is none of these, or has another number of points.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        rows = [np.array(person, np.float64) for person in _people(content)]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path}: no OpenPose JSON (expected people[].pose_keypoints_2d, or Dress Code's keypoints): "
            f"{error}"
        ) from error
    return [_pose(path, row, order) for row in rows]


def _people(content: Any) -> list[Any]:
    """Return the numbers of each person, flat as OpenPose has them."""
    if "people" not in content and "keypoints" in content:
        # the fourth number of Dress Code's rows is the point's place in the order
        return [[number for row in content["keypoints"] for number in row[:3]]]
    return [person[OLD_KEY] if OLD_KEY in person else person[KEY] for person in content["people"]]


def _pose(path: Path, row: NDArray[np.float64], order: str | None) -> Keypoints:
    if row.ndim != 1 or not np.isfinite(row).all():
        raise DataError(f"{path}: a person's points are no list of finite numbers")
    by_number = {3 * len(names): name for name, names in ORDERS.items()}
    chosen = order or by_number.get(row.size)
    if chosen is None or row.size != 3 * len(ORDERS[chosen]):
        known = " or ".join(f"{numbers} ({name})" for numbers, name in by_number.items())
        raise DataError(
            f"{path}: {row.size} numbers for a person"
            + (f", order {order!r} has {3 * len(ORDERS[order])}" if order else f", expected {known}")
        )
    points = row.reshape(-1, 3)
    # points that were not found are 0 or -1 in one place, whatever their score
    points[(points[:, :2] <= 0).all(axis=1)] = 0
    return to_body_25(points, ORDERS[chosen])
