"""BodyPix 2 with ONNX Runtime: scores of the person, body parts and joints.

Source: tensorflow/tfjs-models, body-pix 2 (Apache-2.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.components.weights import find_weights
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.errors import UserError
from skinfw_plugins.networks.bodypix_config import BodyPixNetwork, weights_file
from skinfw_plugins.networks.onnx_file import OnnxFile
from skinfw_plugins.networks.onnx_padding import explicitly_padded

OUTPUTS = (
    "segments", "part_heatmaps", "heatmaps", "short_offsets", "displacement_fwd", "displacement_bwd",
)  # fmt: skip


def published_file(multiplier: float, stride: int) -> Path:
    """Return the path of the network's file, one of `skinfw_plugins.networks.bodypix_config.SHA256`.

    Raises:
        UserError: it is not on disk and cannot be downloaded, or is a different file.
    """
    return find_weights(weights_file(multiplier, stride))


@dataclass(frozen=True)
class BodyPixScores:
    """The network's output for an image, on its coarse grid of h by w cells.

    Attributes:
        segments: logit of a person, float32 ``(h, w)``.
        parts: logit of each of the 24 parts, float32 ``(h, w, 24)``.
        joints: logit of each of COCO's 17 keypoints, float32 ``(h, w, 17)``.
        offsets: from a cell to the keypoint, y in the first 17 channels and x in the last 17, in pixels of
            the network's input, float32 ``(h, w, 34)``.
        forward: from a joint in a cell to the next along each of PoseNet's 16 edges, away from the nose,
            y in the first 16 channels and x in the last 16, in pixels of the network's input, float32
            ``(h, w, 32)``.
        backward: the same toward the nose.
        input_size: height and width of the network's input in pixels.
    """

    segments: NDArray[np.float32]
    parts: NDArray[np.float32]
    joints: NDArray[np.float32]
    offsets: NDArray[np.float32]
    forward: NDArray[np.float32]
    backward: NDArray[np.float32]
    input_size: Size


class BodyPix:
    """The network, loaded when it is first used.

    Args:
        config: which weights, and the internal resolution.
    """

    def __init__(self, config: BodyPixNetwork) -> None:
        self.config = config

    @cached_property
    def file(self) -> OnnxFile:
        """The ONNX file.

        Raises:
            UserError: it is neither on disk nor downloadable, or is not BodyPix 2.
        """
        path = self._path()
        file = OnnxFile(path, content=explicitly_padded(path))
        file.require_outputs(OUTPUTS, "BodyPix 2")
        if len(file.inputs) != 1:
            raise UserError(
                f"{file.path}: has the inputs {', '.join(file.inputs)}; BodyPix 2 has one image (1, H, W, 3)"
            )
        return file

    def _path(self) -> Path:
        if self.config.weights is not None:
            return self.config.weights
        try:
            return published_file(self.config.multiplier, self.config.stride)
        except UserError as error:
            raise UserError(
                f"{error}. Any ONNX file of BodyPix 2 works: set weights to its path, and stride to its "
                "stride"
            ) from error

    def __call__(self, image: RgbImage) -> BodyPixScores:
        """Return the scores of an image, uint8 RGB ``(H, W, 3)`` of any size.

        Raises:
            UserError: the weights are not available, cannot be run, or have a different stride from `config`.
        """
        size = input_size((image.shape[0], image.shape[1]), self.config.resolution, self.config.stride)
        values = resize_image(image, size).astype(np.float32)[None] / 127.5 - 1
        (name,) = self.file.inputs
        segments, parts, joints, offsets, forward, backward = (
            output[0] for output in self.file.run({name: values}, OUTPUTS)
        )
        cells = tuple((side - 1) // self.config.stride + 1 for side in size)
        if segments.shape[:2] != cells:
            found, wanted = (f"{height}x{width}" for height, width in (segments.shape[:2], cells))
            raise UserError(
                f"{self.file.path}: returns {found} cells for {size[0]}x{size[1]} pixels, expected {wanted} "
                f"with stride {self.config.stride}; set stride to that of the file"
            )
        return BodyPixScores(segments[..., 0], parts, joints, offsets, forward, backward, size)


def input_size(size: Size, resolution: int, stride: int) -> Size:
    """Return the size to resize an image to: the longer side near the resolution, keeping the aspect.

    Both sides are multiples of the stride plus one, as BodyPix expects.
    """
    scale = resolution / max(size)
    sides = [max(1, round((side * scale - 1) / stride)) * stride + 1 for side in size]
    return sides[0], sides[1]


def upsampled(
    scores: NDArray[np.float32], input_size: Size, size: Size, rows: slice = slice(None)
) -> NDArray[np.float32]:
    """Return the cells' scores at every pixel, interpolated bilinearly.

    The first and last cells lie on the centers of the first and last pixels of the network's input, which is
    the resized image. Beyond the outermost cells their scores continue.

    Args:
        scores: float32 ``(h, w)`` or ``(h, w, C)``.
        input_size: height and width of the network's input in pixels.
        size: height and width of the image in pixels.
        rows: the rows of the image to return.
    """
    down, right = (_cells(*sides) for sides in zip(size, input_size, scores.shape, strict=False))
    map_x, map_y = np.meshgrid(right, down[rows])
    channels = scores if scores.ndim == 3 else scores[..., None]
    # OpenCV remaps up to four channels at once
    parts = [
        cv2.remap(channels[..., start : start + 4], map_x, map_y, cv2.INTER_LINEAR).reshape(*map_x.shape, -1)
        for start in range(0, channels.shape[2], 4)
    ]
    whole: NDArray[np.float32] = np.concatenate(parts, axis=2)
    return whole if scores.ndim == 3 else whole[..., 0]


def _cells(side: int, input_side: int, count: int) -> NDArray[np.float32]:
    """Return the position of each pixel between the cells, along one side."""
    pixels = (np.arange(side) + 0.5) * input_side / side - 0.5
    cells = pixels.clip(0, input_side - 1) * (count - 1) / max(input_side - 1, 1)
    return cells.astype(np.float32)
