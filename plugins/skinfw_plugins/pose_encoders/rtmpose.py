"""Poses with two ONNX files of MMPose or rtmlib: a detector, then a SimCC pose model for each person.

Sources: RTMPose (Jiang et al. 2023), SimCC (Li et al. 2022), open-mmlab/mmpose and Tau-J/rtmlib (Apache-2.0).
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import RgbImage
from skinfw.errors import UserError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw_plugins.networks.onnx_file import OnnxFile
from skinfw_plugins.pose_encoders.config import RtmposeConfig
from skinfw_plugins.pose_encoders.detector import Detector, image_input
from skinfw_plugins.pose_encoders.orders import ORDERS, to_body_25

OUTPUTS = ("simcc_x", "simcc_y")
BY_NUMBER = {len(ORDERS[name]): name for name in ("coco_17", "halpe_26")}


class RtmposePoseEncoder(PoseEncoder[RtmposeConfig]):
    """Detects people, and finds the points of each in a crop around its box (top-down).

    In COCO's order, neck and mid-hip are midpoints. Without a detector the whole photo is the box of one
    person.
    """

    @cached_property
    def detector(self) -> Detector | None:
        """The detector; None if the whole photo is the box. Errors are those of `Detector`."""
        config = self.config
        if config.detector is None:
            return None
        return Detector(
            config.detector,
            config.detector_mean,
            config.detector_std,
            config.score_threshold,
            config.nms_threshold,
        )

    @cached_property
    def pose_model(self) -> OnnxFile:
        """The pose model.

        Raises:
            UserError: the file is missing or not a SimCC model.
        """
        file = OnnxFile(self.config.pose_model)
        file.require_outputs(OUTPUTS, "a SimCC pose model such as RTMPose")
        return file

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the pose of each detected person, most confident first. See `PoseEncoder.people`."""
        height, width = photo.size
        whole = np.array([[0, 0, width, height]], np.float64)
        boxes = whole if self.detector is None else self.detector(photo.pixels)
        poses = [self._pose(photo.pixels, box) for box in boxes]
        return [pose for pose in poses if pose.found(0).any()]

    def fingerprint(self) -> str:
        """Return the SHA-256 of each of the files."""
        files = [self.pose_model] if self.detector is None else [self.pose_model, self.detector.file]
        return " ".join(file.fingerprint() for file in files)

    def _pose(self, image: RgbImage, box: NDArray[np.float64]) -> Keypoints:
        name, size = image_input(self.pose_model)
        to_crop = crop_matrix(box, size, self.config.padding)
        crop = cv2.warpAffine(image, to_crop, (size[1], size[0]), flags=cv2.INTER_LINEAR)
        values = (crop - np.array(self.config.mean)) / np.array(self.config.std)
        planes = values.transpose(2, 0, 1)[None].astype(np.float32)
        simcc_x, simcc_y = self.pose_model.run({name: planes}, OUTPUTS)
        points = decode(simcc_x[0], simcc_y[0], self.config.split_ratio)
        to_photo = cv2.invertAffineTransform(to_crop)
        points[:, :2] = points[:, :2] @ to_photo[:, :2].T + to_photo[:, 2]
        points[points[:, 2] < self.config.threshold] = 0
        return to_body_25(points, self._order(len(points)))

    def _order(self, count: int) -> tuple[str, ...]:
        name = self.config.order or BY_NUMBER.get(count)
        if name is None or len(ORDERS[name]) != count:
            known = ", ".join(f"{order} {number}" for number, order in BY_NUMBER.items())
            wanted = f"order {self.config.order!r}" if self.config.order else "no known order"
            raise UserError(
                f"{self.config.pose_model}: returns {count} points, which matches {wanted} ({known})"
            )
        return ORDERS[name]


def crop_matrix(box: NDArray[np.float64], size: Size, padding: float) -> NDArray[np.float64]:
    """Return the affine map ``(2, 3)`` from a photo to the crop around a box.

    Args:
        box: left, top, right and bottom in pixels of the photo.
        size: height and width of the crop in pixels.
        padding: its size relative to the box.
    """
    left, top, right, bottom = box
    # the box grows to the crop's aspect ratio around its center
    scale = min(size[1] / max(right - left, 1e-6), size[0] / max(bottom - top, 1e-6)) / padding
    return np.array(
        [
            [scale, 0, size[1] / 2 - scale * (left + right) / 2],
            [0, scale, size[0] / 2 - scale * (top + bottom) / 2],
        ]
    )


def decode(
    simcc_x: NDArray[np.float32], simcc_y: NDArray[np.float32], split_ratio: float
) -> NDArray[np.float64]:
    """Return the points of one person, float64 ``(K, 3)``: x and y in pixels of the crop, and the score.

    A point lies in the highest bin of each axis; its score is the lower of the two bins' values, as in
    MMPose.

    Args:
        simcc_x: float32 ``(K, W * split_ratio)``.
        simcc_y: float32 ``(K, H * split_ratio)``.
        split_ratio: bins per pixel.
    """
    x, y = simcc_x.argmax(axis=1) / split_ratio, simcc_y.argmax(axis=1) / split_ratio
    score = np.minimum(simcc_x.max(axis=1), simcc_y.max(axis=1)).clip(0, 1)
    return np.stack([x, y, score.astype(np.float64)], axis=1)
