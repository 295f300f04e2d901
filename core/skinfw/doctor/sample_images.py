"""Small images of a sample folder, for pages that show many."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from skinfw.components.field_names import APPAREL, BODY, SKIN
from skinfw.data.label_file import sample_palette
from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.data.skeleton import draw_skeleton
from skinfw.doctor.opened import Opened, open_sample
from skinfw.errors import DataError

VIEWS: Mapping[str, str] = {
    "photo": "the photo",
    "map": "label map",
    "input": f"{APPAREL}, erased pixels blue",
    "skin": f"{SKIN} in red on body",
    "pose": "pose on body",
    "target": BODY,
}
"""The views of a sample, and their descriptions."""

_ERASED = (205, 215, 240)
_SKIN = (255, 0, 60)
_MISSING = 128


def sample_views(folder: Path, side: int, photo: Path | None = None) -> dict[str, RgbImage]:
    """Return the views of a sample, uint8 RGB, their longer side at most ``side`` pixels.

    A view with missing or unreadable files is plain gray.

    Args:
        folder: the sample folder.
        side: pixels of the longer side.
        photo: the photo that the sample was made from, for its view; None for no such view.
    """
    sample = open_sample(folder, folder.name)
    views: dict[str, RgbImage | None] = {
        "map": _label_map(sample),
        "input": _input(sample),
        "skin": _skin(sample),
        "pose": _pose(sample),
        "target": sample.body,
    }
    if photo is not None:
        views = {"photo": _photo(photo), **views}
    size = next(iter(sample.sizes.values()), (side, side))
    missing = np.full((*size, 3), _MISSING, np.uint8)
    return {name: _small(missing if view is None else view, side) for name, view in views.items()}


def encoded(image: RgbImage, kind: str = "WEBP", quality: int = 80) -> bytes:
    """Return an image, uint8 RGB ``(H, W, 3)``, as the bytes of a WEBP or JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format=kind, quality=quality)
    return stream.getvalue()


def _small(image: RgbImage, side: int) -> RgbImage:
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    return resize_image(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _photo(path: Path) -> RgbImage | None:
    try:
        return Photo.read(path).pixels
    except DataError:
        return None


def _label_map(sample: Opened) -> RgbImage | None:
    return None if sample.labels is None else sample_palette()[sample.labels]


def _input(sample: Opened) -> RgbImage | None:
    if sample.apparel is None or sample.kept is None:
        return None
    return np.where(sample.kept[..., None], sample.apparel, np.array(_ERASED, np.uint8))


def _skin(sample: Opened) -> RgbImage | None:
    if sample.skin is None or sample.body is None:
        return None
    red = cv2.addWeighted(sample.body, 0.4, np.full_like(sample.body, _SKIN), 0.6, 0)
    return np.where(sample.skin[..., None], red, sample.body).astype(np.uint8)


def _pose(sample: Opened) -> RgbImage | None:
    """Draw the pose over the darkened body, to show whether it lies on the person."""
    line = sample.line
    if line is None and sample.keypoints is not None and sample.body is not None:
        line = draw_skeleton(sample.keypoints, (sample.body.shape[0], sample.body.shape[1]))
    if line is None or sample.body is None:
        return line
    dark = (sample.body * np.float32(0.45)).astype(np.uint8)
    return np.where(line.max(axis=2, keepdims=True) > 32, line, dark)
