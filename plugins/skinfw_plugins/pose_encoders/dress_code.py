"""Poses as the data set Dress Code has them."""

from __future__ import annotations

from pathlib import Path

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw_plugins.pose_encoders.config_layouts import DressCodePoseConfig
from skinfw_plugins.pose_encoders.openpose_json import read_poses


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
        poses = [pose.resized(self.config.size, photo.size) for pose in read_poses(path, "coco_18")]
        return [pose for pose in poses if pose.found(0).any()]
