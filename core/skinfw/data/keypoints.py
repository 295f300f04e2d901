"""The 25 keypoints of OpenPose's BODY_25 model, and its JSON format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.pose_file import PoseFile, check_confidences, poses_of, read_pose_file
from skinfw.errors import DataError

BODY_25 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip",
    "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
    "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
)  # fmt: skip
"""Names in order; R and L are the person's own right and left (CMU OpenPose, release 1.7)."""


@dataclass(frozen=True)
class Keypoints:
    """The pose of one person.

    Attributes:
        points: float32 ``(25, 3)``: x and y in pixels of the image, confidence in [0, 1]. A point
            that was not found is 0, 0, 0.

    Raises:
        ValueError: they have another shape, or are not finite.
    """

    points: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.points.shape != (25, 3):
            raise ValueError(f"BODY_25 keypoints are (25, 3), not {self.points.shape}")
        if not np.isfinite(self.points).all():
            raise ValueError("keypoints are not finite (NaN or infinity)")

    def point(self, name: str) -> NDArray[np.float32]:
        """Return x, y and confidence of the named point."""
        row: NDArray[np.float32] = self.points[BODY_25.index(name)]
        return row

    def found(self, threshold: float = 0.05) -> NDArray[np.bool_]:
        """Return which keypoints have a confidence above ``threshold``, bool ``(25,)``."""
        return self.points[:, 2] > threshold

    def mapped(self, scale_x: float, scale_y: float, shift_x: float, shift_y: float) -> Keypoints:
        """Return the keypoints at ``x * scale_x + shift_x``, ``y * scale_y + shift_y``.

        Points that were not found stay 0, 0, 0.
        """
        moved = self.points.copy()
        moved[:, 0] = moved[:, 0] * scale_x + shift_x
        moved[:, 1] = moved[:, 1] * scale_y + shift_y
        moved[self.points[:, 2] <= 0] = 0
        return Keypoints(moved)

    def resized(self, old: Size, new: Size) -> Keypoints:
        """Return the keypoints in an image that was resized from one height and width to another.

        Integer coordinates are pixel centers, as in OpenPose.

        Example:
            >>> pose = Keypoints(np.full((25, 3), 1, np.float32))
            >>> pose.resized((8, 8), (16, 16)).point("Nose").tolist()
            [2.5, 2.5, 1.0]
        """
        down, right = new[0] / old[0], new[1] / old[1]
        return self.mapped(right, down, (right - 1) / 2, (down - 1) / 2)

    def to_json(self) -> dict[str, Any]:
        """Return the keypoints in the JSON format of OpenPose 1.7."""
        flat = [round(float(value), 4) for value in self.points.ravel()]
        return {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": flat}]}


def read_openpose_json(path: Path) -> list[Keypoints]:
    """Read all people in an OpenPose JSON file of 25 points, in pixels of its image.

    Raises:
        DataError: as `skinfw.data.pose_file.read_pose_file`, or a person does not have 25 points.
    """
    return _people(read_pose_file(path), path)


def openpose_of(data: bytes, path: Path) -> list[Keypoints]:
    """Return all people in an OpenPose JSON file that was read already; see `read_openpose_json`.

    Args:
        data: the bytes of the file.
        path: names it in errors.
    """
    return _people(poses_of(data, path), path)


def _people(file: PoseFile, path: Path) -> list[Keypoints]:
    people = file.people
    for points in people:
        if points.shape != (25, 3):
            raise DataError(
                f"{path}: {points.size} numbers for a person; BODY_25 has 75 (25 times x, y, confidence)"
            )
    check_confidences(path, people)
    return [Keypoints(points.astype(np.float32)) for points in people]
