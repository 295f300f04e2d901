"""The origin of an inpainted image, stored in its PNG file to decide whether to keep it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL.PngImagePlugin import PngInfo

from skinfw.components.field_names import BODY
from skinfw.components.weights import file_sha256
from skinfw.data.image_file import open_image
from skinfw.data.sample import Sample
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError
from skinfw.runs.environment import versions

_KEY = "skinfw"


def checkpoint_mark(path: Path) -> str:
    """Return a hash of a checkpoint's bytes and of the version of skinfw."""
    return hashlib.sha256(f"{file_sha256(path)} {versions().get('skinfw')}".encode()).hexdigest()


def sample_mark(sample: Sample) -> str:
    """Return a hash of a sample's inputs to a generator and of its name, which determines the noise."""
    digest = hashlib.sha256(sample.name.encode("utf-8", "surrogateescape"))
    for name in sorted(sample.fields.keys() - {BODY}):
        array = sample[name]
        digest.update(f"\0{name}\0{array.shape}\0{array.dtype}\0".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def png_mark(checkpoint: str, sample: str, image: RgbImage) -> PngInfo:
    """Return the PNG text to save with an inpainted image, uint8 RGB ``(H, W, 3)``."""
    info = PngInfo()
    info.add_text(_KEY, f"{checkpoint} {sample} {_image_mark(image)}")
    return info


def read_mark(path: Path) -> tuple[str, str] | None:
    """Return the marks of the checkpoint and of the sample in a file.

    Returns:
        None if it has none, or if its pixels were changed since: many programs keep the text.
    """
    try:
        image = open_image(path).image
    except DataError:
        return None
    words = str(image.info.get(_KEY, "")).split()
    if len(words) != 3 or words[2] != _image_mark(np.asarray(image)):
        return None
    return words[0], words[1]


def _image_mark(image: RgbImage) -> str:
    return hashlib.sha256(f"{image.shape} {image.dtype} ".encode() + image.tobytes()).hexdigest()
