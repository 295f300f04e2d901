"""Poses with BodyPix 2: heat maps of joints and short offsets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw_plugins.networks.bodypix import BodyPix, BodyPixScores
from skinfw_plugins.pose_encoders.config import BodyPixPoseConfig
from skinfw_plugins.pose_encoders.orders import COCO_17, to_body_25

MIN_SCORE = 0.4
"""Minimum mean probability of a pose's 17 points."""

MIN_FRACTION = 0.1
"""Patches with fewer cells than this fraction of the largest one are not people."""


class BodyPixPoseEncoder(PoseEncoder[BodyPixPoseConfig]):
    """Finds COCO's 17 points; neck and mid-hip are midpoints, and there are no feet.

    Each patch of cells that belong to a person is one person. In and around it, a point is the cell with the
    highest score, moved by that cell's short offset (PoseNet's single-person decoding). People who touch each
    other form one patch, so only one person is found.
    """

    def __init__(self, config: BodyPixPoseConfig, io: None) -> None:
        super().__init__(config, io)
        self.network = BodyPix(config)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the pose of each person, the largest patch first. See `PoseEncoder.people`."""
        scores = self.network(photo.pixels)
        found = [decode(scores, cells, self.config.stride) for cells in self._patches(scores)]
        poses = []
        for points in found:
            if points[:, 2].mean() < MIN_SCORE:
                continue
            points[points[:, 2] < self.config.threshold] = 0
            poses.append(to_body_25(points, COCO_17).resized(scores.input_size, photo.size))
        return poses

    def fingerprint(self) -> str:
        """Return the SHA-256 of the network's file."""
        return self.network.file.fingerprint()

    def _patches(self, scores: BodyPixScores) -> list[Mask]:
        """Return the cells of each person and those around them, bool ``(h, w)``, largest first."""
        person = (_sigmoid(scores.segments) > self.config.person_threshold).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(person, connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        least = MIN_FRACTION * areas.max(initial=0)
        large = [index + 1 for index in np.argsort(-areas, kind="stable") if areas[index] >= least]
        around = np.ones((3, 3), np.uint8)
        return [cv2.dilate((labels == label).astype(np.uint8), around).astype(bool) for label in large]


def decode(scores: BodyPixScores, cells: Mask, stride: int) -> NDArray[np.float32]:
    """Return the 17 points of the person in some cells, float32 ``(17, 3)``.

    Args:
        scores: the network's output.
        cells: the cells to search, bool ``(h, w)``, at least one.
        stride: pixels of the network's input from one cell to the next.

    Returns:
        x and y in pixels of the network's input, with pixel centers at integers, and the probability.
    """
    logits = np.where(cells[..., None], scores.joints, -np.inf)
    joints = np.arange(logits.shape[2])
    rows, columns = np.unravel_index(logits.reshape(-1, len(joints)).argmax(axis=0), cells.shape)
    y = rows * stride + scores.offsets[rows, columns, joints]
    x = columns * stride + scores.offsets[rows, columns, joints + len(joints)]
    confidence = _sigmoid(logits[rows, columns, joints])
    return np.stack([x, y, confidence], axis=1).astype(np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    # unlike exp, tanh cannot overflow
    return ((1 + np.tanh(logits / 2)) / 2).astype(np.float32)
