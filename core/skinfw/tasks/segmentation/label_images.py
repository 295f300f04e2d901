"""Label maps as images."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.field_names import IMAGE, LABELS
from skinfw.data.batch import Batch
from skinfw.data.classes import UNKNOWN
from skinfw.data.segmentation import LabelMap, RgbImage
from skinfw.inference.composite import to_uint8

_COLORS = 20

KINDS = {"photo": "input", "target": "true labels", "output": "predicted labels", "error": "wrong pixels"}
"""Descriptions of the images of `label_row`."""


def class_colors() -> NDArray[np.uint8]:
    """Return the color of each label, uint8 RGB ``(256, 3)``.

    The first class is black and unknown pixels are white; the others use matplotlib's twenty colors in turn.
    """
    twenty = colormaps["tab20"](np.arange(_COLORS), bytes=True)[:, :3]
    # strong colors first, then their pale counterparts
    ordered = np.concatenate([twenty[::2], twenty[1::2]])
    colors = ordered[(np.arange(UNKNOWN + 1) - 1) % _COLORS].astype(np.uint8)
    colors[0], colors[UNKNOWN] = 0, 255
    return colors


def label_image(labels: LabelMap) -> RgbImage:
    """Return a label map ``(H, W)`` in colors, uint8 RGB ``(H, W, 3)``."""
    image: RgbImage = class_colors()[labels]
    return image


def difference_image(photo: RgbImage, truth: LabelMap, found: LabelMap) -> RgbImage:
    """Return a pale photo with wrong pixels in red, uint8 RGB ``(H, W, 3)``; unknown ones are not wrong."""
    gray = photo.astype(np.float32).mean(axis=2, keepdims=True).repeat(3, axis=2)
    pale = (128 + gray / 2).astype(np.uint8)
    wrong = (truth != found) & (truth != UNKNOWN)
    return np.where(wrong[..., None], np.array([220, 20, 20], np.uint8), pale)


def label_row(batch: Batch, index: int, found: Tensor) -> dict[str, RgbImage]:
    """Return the images shown for one photo, by name: photo, true and predicted label map, differences.

    Args:
        batch: the photos with their true label maps.
        index: index of the photo.
        found: its predicted label map, ``(H, W)``.
    """
    photo = to_uint8(batch[IMAGE][index : index + 1])[0]
    truth = batch[LABELS][index].cpu().numpy().astype(np.uint8)
    predicted = found.cpu().numpy().astype(np.uint8)
    return {
        "photo": photo,
        "target": label_image(truth),
        "output": label_image(predicted),
        "error": difference_image(photo, truth, predicted),
    }
