"""Poses with MediaPipe's pose landmarker."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions

from skinfw.components.weights import file_sha256, find_weights
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw.system.quiet import quiet
from skinfw_plugins.networks.mediapipe_task import image_of, load_task
from skinfw_plugins.networks.published_files import POSE_LANDMARKER
from skinfw_plugins.pose_encoders.config import MediapipePoseConfig
from skinfw_plugins.pose_encoders.orders import MEDIAPIPE_33, to_body_25


class MediapipePoseEncoder(PoseEncoder[MediapipePoseConfig]):
    """Finds MediaPipe's 33 landmarks on the CPU, without tracking between photos.

    Neck and mid-hip are midpoints; small toes are absent. The confidence of a point is its visibility. Each
    process loads its own landmarker with the first photo.
    """

    @cached_property
    def model(self) -> Path:
        """The .task file.

        Raises:
            UserError: it is neither on disk nor downloadable.
        """
        if self.config.model is None:
            return find_weights(POSE_LANDMARKER)
        if not self.config.model.is_file():
            raise UserError(f"{self.config.model}: no such .task file; give an existing one, or null")
        return self.config.model

    @cached_property
    def landmarker(self) -> Any:
        """MediaPipe's own object.

        Raises:
            UserError: the file is not a pose landmarker.
        """
        options = partial(
            PoseLandmarkerOptions,
            num_poses=self.config.max_people,
            min_pose_detection_confidence=self.config.detection_threshold,
            min_pose_presence_confidence=self.config.presence_threshold,
        )
        place = f"get {POSE_LANDMARKER.url}"
        return load_task(self, PoseLandmarker, options, self.model, "pose landmarker", place)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the pose of each person that MediaPipe finds, in its order. See `PoseEncoder.people`."""
        image = image_of(photo.pixels)
        height, width = photo.size
        # MediaPipe's C++ code prints warnings: on loading, for the first person, for unaligned memory
        with quiet():
            found = self.landmarker.detect(image).pose_landmarks
        poses = []
        for landmarks in found:
            # 0 and 1 are the image's borders; keypoints are measured from the center of the first pixel
            points = np.array(
                [(each.x * width - 0.5, each.y * height - 0.5, each.visibility) for each in landmarks]
            )
            points[points[:, 2] < self.config.threshold] = 0
            poses.append(to_body_25(points, MEDIAPIPE_33))
        return poses

    def fingerprint(self) -> str:
        """Return the SHA-256 of the .task file."""
        return file_sha256(self.model)
