"""Photos of people for the tests of a plugin, from the default data set."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.assembly.build import build
from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, BODY, FACE, KEEP, KEYPOINTS, SKIN
from skinfw.components.reference import use, use_default
from skinfw.data.photo import Photo
from skinfw.data.sample import Sample
from skinfw.interfaces import Dataset, DatasetIO, Input

COUNT = 24
SIZE: Size = (128, 64)
CLASSES = ("background", "skin", "head", "feet", "apparel")
"""The classes of the label maps, in the order of their codes; drawn people have no feet of their own."""


def drawn_samples(count: int = COUNT) -> Iterator[Sample]:
    """Yield the first samples of the default data set."""
    inputs = {name: build(use("input", name), Input) for name in (APPAREL, SKIN, FACE)}
    dataset = build(use_default("dataset"), Dataset, DatasetIO(SIZE, inputs, needs_keypoints=True))
    for name in islice(dataset.names(), count):
        yield dataset.load(name)


def drawn_photo() -> Photo:
    """Return one person on white."""
    return Photo(next(drawn_samples())[BODY])


def drawn_photos(beside: Literal["labels", "pose"]) -> dict[str, bytes]:
    """Return files of people on white by name: ``NAME.png``, and what a plugin for them does not find itself.

    Args:
        beside: ``labels`` for ``NAME_labels.png`` with the codes of `CLASSES`, ``pose`` for
            ``NAME_keypoints.json`` as OpenPose writes it.
    """
    files = {}
    for number, sample in enumerate(drawn_samples()):
        name = f"person-{number:02d}"
        files[f"{name}.png"] = _png(sample[BODY])
        if beside == "labels":
            files[f"{name}_labels.png"] = _png(_codes(sample))
        else:
            files[f"{name}_keypoints.json"] = json.dumps(sample[KEYPOINTS].to_json()).encode()
    return files


def _codes(sample: Sample) -> NDArray[np.uint8]:
    chosen = [sample[SKIN], sample[FACE], sample[KEEP]]
    codes = [CLASSES.index(name) for name in ("skin", "head", "apparel")]
    return np.select(chosen, codes, default=CLASSES.index("background")).astype(np.uint8)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
