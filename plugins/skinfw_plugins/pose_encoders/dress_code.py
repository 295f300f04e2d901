"""Poses as the data set Dress Code has them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw_plugins.pose_encoders.config_layouts import DressCodePoseConfig
from skinfw_plugins.pose_encoders.orders import COCO_18, to_body_25


class DressCodePoseEncoder(PoseEncoder[DressCodePoseConfig]):
    """Reads ``{"keypoints": [[x, y, confidence, index], ...]}`` of OpenPose's 18 points.

    The points are in pixels of pictures of half the photos' sides (aimagelab/dress-code, issue 4); a point
    that was not found has a negative coordinate or no confidence.
    """

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the JSON file that belongs to a photo."""
        stem = photo.stem.removesuffix(self.config.photo_suffix)
        return (photo.parent / self.config.folder / f"{stem}{self.config.suffix}",)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the one pose in the JSON file of a photo; none where no point was found.

        Raises:
            DataError: there is no JSON file for the photo, or it is none of Dress Code's.
        """
        if photo.path is None:
            raise DataError("the dress_code pose encoder reads files: it needs a photo that lies on disk")
        (path,) = self.sources(photo.path)
        rows = _read(path)
        points = np.where((rows[:, :2] < 0).any(axis=1, keepdims=True), 0, rows[:, :3])
        pose = to_body_25(points, COCO_18).resized(self.config.size, photo.size)
        return [pose] if pose.found(0).any() else []


def _read(path: Path) -> NDArray[np.float64]:
    """Return the numbers of the points, float64 ``(18, 4)``."""
    try:
        rows = np.array(json.loads(path.read_bytes())["keypoints"], np.float64)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path}: no keypoints of Dress Code (expected keypoints[][4]): {error}") from error
    if rows.shape != (len(COCO_18), 4) or not np.isfinite(rows).all():
        raise DataError(f"{path}: holds {rows.shape} numbers, Dress Code has (18, 4) finite ones a person")
    return rows
