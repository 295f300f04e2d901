"""Poses with BodyPix 2: heat maps of joints, offsets and displacements."""

from __future__ import annotations

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw_plugins.networks.bodypix import BodyPix
from skinfw_plugins.pose_encoders.config import BodyPixPoseConfig
from skinfw_plugins.pose_encoders.orders import COCO_17, to_body_25
from skinfw_plugins.pose_encoders.posenet import PoseNetDecoder, side

MIN_SCORE = 0.4
"""Minimum mean probability of a pose's 17 points."""

MIN_SIDE = 0.3
"""Minimum longer side of a person's found points, as a fraction of that of the largest person.

Smaller people are passers-by in the background.
"""


class BodyPixPoseEncoder(PoseEncoder[BodyPixPoseConfig]):
    """Finds COCO's 17 points; neck and mid-hip are midpoints, and there are no feet.

    `PoseNetDecoder` separates people who touch each other.
    """

    def __init__(self, config: BodyPixPoseConfig, io: None) -> None:
        super().__init__(config, io)
        self.network = BodyPix(config)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the pose of each person, the largest first. See `PoseEncoder.people`."""
        scores = self.network(photo.pixels)
        people = [
            (side(points, self.config.threshold), points)
            for points in PoseNetDecoder(scores, self.config.stride).people()
            if points[:, 2].mean() >= MIN_SCORE
        ]
        people.sort(key=lambda person: -person[0])
        poses = []
        for size, points in people:
            if size >= MIN_SIDE * people[0][0]:
                points[points[:, 2] < self.config.threshold] = 0
                poses.append(to_body_25(points, COCO_17).resized(scores.input_size, photo.size))
        return poses

    def fingerprint(self) -> str:
        """Return the SHA-256 of the network's file."""
        return self.network.file.fingerprint()
