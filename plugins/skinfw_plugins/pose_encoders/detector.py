"""Detectors of people in ONNX files: YOLOX without NMS, and files exported with it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.segmentation import RgbImage
from skinfw.errors import UserError
from skinfw_plugins.networks.onnx_file import OnnxFile

STRIDES = (8, 16, 32)
"""Strides of YOLOX's three grids, in pixels (Ge et al. 2021)."""

PADDING = 114
"""Gray padding of the network's input (YOLOX)."""

PERSON = 0
"""The class person in COCO."""

Boxes = NDArray[np.float64]


class Detector:
    """A detector of people.

    The BGR image fills the input from the top left, keeping its aspect ratio, padded with gray.

    Args:
        path: the ONNX file.
        mean: BGR to subtract.
        std: BGR to divide by.
        score_threshold: minimum score of a person.
        nms_threshold: IoU above which the weaker of two boxes is dropped; unused for a file with NMS.

    Raises:
        UserError: the file is missing or not a known detector.
    """

    def __init__(
        self,
        path: Path,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        score_threshold: float,
        nms_threshold: float,
    ) -> None:
        self.file = OnnxFile(path)
        self.input, self.size = image_input(self.file)
        self.mean, self.std = np.array(mean, np.float32), np.array(std, np.float32)
        self.score_threshold, self.nms_threshold = score_threshold, nms_threshold

    def __call__(self, image: RgbImage) -> Boxes:
        """Return people's boxes, most confident first.

        Args:
            image: uint8 RGB ``(H, W, 3)``.

        Returns:
            left, top, right and bottom in pixels of the image, float64 ``(N, 4)``.

        Raises:
            UserError: the network returns something other than boxes.
        """
        canvas, scale = letterboxed(image, self.size)
        values = (canvas.astype(np.float32) - self.mean) / self.std
        names = list(self.file.outputs)
        outputs = dict(
            zip(names, self.file.run({self.input: values.transpose(2, 0, 1)[None]}, names), strict=True)
        )
        first, *others = outputs.values()
        rows = first[0] if first.ndim == 3 else first
        if rows.ndim == 2 and rows.shape[1] >= 6 and not others:
            boxes, scores = self._raw(rows)
        elif rows.ndim == 2 and rows.shape[1] in (4, 5):
            boxes, scores = self._finished(rows, others[0] if others else None)
        else:
            shapes = ", ".join(f"{name} {value.shape}" for name, value in outputs.items())
            raise UserError(
                f"{self.file.path}: not a known detector: it returns {shapes}; expected YOLOX's raw rows (1, "
                "N, 5 + classes), or boxes (1, N, 4 or 5) and labels (1, N) of an export with NMS"
            )
        order = np.argsort(-scores, kind="stable")
        return boxes[order] / scale

    def _raw(self, rows: NDArray[np.float32]) -> tuple[Boxes, NDArray[np.float64]]:
        """Return the people in YOLOX's raw output, one row per cell of its grids."""
        cells, strides = grids(self.size)
        if len(rows) != len(cells):
            raise UserError(
                f"{self.file.path}: returns {len(rows)} rows, but YOLOX with {self.size[0]}x{self.size[1]} "
                f"pixels returns {len(cells)} (strides {', '.join(map(str, STRIDES))})"
            )
        values = rows.astype(np.float64)
        classes = values[:, 4:5] * values[:, 5:]
        people = (classes.argmax(axis=1) == PERSON) & (classes[:, PERSON] >= self.score_threshold)
        middles = (values[people, :2] + cells[people]) * strides[people]
        sides = np.exp(values[people, 2:4]) * strides[people]
        scores = classes[people, PERSON]
        corners = np.concatenate([middles - sides / 2, sides], axis=1)
        kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), self.score_threshold, self.nms_threshold)
        chosen = np.array(kept, int).reshape(-1)
        return np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)[chosen], scores[chosen]

    def _finished(
        self, rows: NDArray[np.float32], labels: NDArray[np.float32] | None
    ) -> tuple[Boxes, NDArray[np.float64]]:
        """Return the people found by an export with NMS: boxes with or without scores."""
        values = rows.astype(np.float64)
        scores = values[:, 4] if values.shape[1] == 5 else np.ones(len(values))
        people = scores >= self.score_threshold
        if labels is not None:
            people &= labels.reshape(-1)[: len(people)] == PERSON
        return values[people, :4], scores[people]


def letterboxed(image: RgbImage, size: Size) -> tuple[RgbImage, float]:
    """Return an image as BGR that fills a size from the top left, and its scale factor.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        size: height and width in pixels.
    """
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    canvas = np.full((*size, 3), PADDING, np.uint8)
    canvas[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)[..., ::-1]
    return canvas, scale


def grids(size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cell (x, y) and the stride of each of YOLOX's rows, ``(N, 2)`` and ``(N, 1)``."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float64), np.concatenate(strides).astype(np.float64)


def image_input(file: OnnxFile) -> tuple[str, Size]:
    """Return the name of a network's only input, an image ``(N, 3, H, W)``, and its height and width.

    Raises:
        UserError: the input is not an image, or has no fixed size.
    """
    (name, shape), *others = file.inputs.items()
    height, width = shape[2:4] if len(shape) == 4 else (None, None)
    if others or len(shape) != 4 or shape[1] not in (3, None) or height is None or width is None:
        shapes = ", ".join(f"{name} {shape}" for name, shape in file.inputs.items())
        raise UserError(
            f"{file.path}: has the inputs {shapes}; expected one image (N, 3, H, W) of fixed height and "
            "width, as exported by MMPose and rtmlib"
        )
    return name, (height, width)
