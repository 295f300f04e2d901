"""The spec to start with, from the examples that were measured. Light: no torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from skinfw.components.config import Size
from skinfw.system.json_file import read_json
from skinfw.system.shipped import shipped_file

PHOTOS, DRAWN = "examples/photos.json", "examples/quickstart.json"
"""The best spec for photos that was found, and the one for drawn people."""

_PHOTOS_PER_BATCH = 4
"""Minimum photos per sample of a batch, so that an epoch has at least two batches."""


def measured_size(*, drawn: bool) -> Size:
    """Return height and width of the images with which the spec was measured, for drawn people or photos."""
    height, width = read_json(shipped_file(DRAWN if drawn else PHOTOS))["data"]["size"]
    return height, width


def size_for_photos(sizes: Sequence[Size], *, accelerator: bool) -> Size:
    """Return the size to propose for photos: that of the measured spec, or twice that on an accelerator.

    Args:
        sizes: height and width of some of the photos: small ones do not fill larger images.
        accelerator: whether the network trains on one, such as a GPU.
    """
    height, width = measured_size(drawn=False)
    if accelerator and sizes and statistics.median(each[0] for each in sizes) >= 2 * height:
        return 2 * height, 2 * width
    return height, width


def first_spec(
    name: str,
    size: Size,
    dataset: dict[str, Any] | None = None,
    photos: int | None = None,
    schema: str | None = None,
) -> dict[str, Any]:
    """Return a spec as JSON.

    Args:
        name: the name of the run.
        size: height and width of the network's images in pixels; a network for photos gets one more level for
            each doubling of the height.
        dataset: fields of the data set of photos, such as ``root`` and ``segmenter``; None for drawn people.
        photos: their number, if known: few photos get small batches.
        schema: the path of the JSON Schema, for editors.
    """
    spec: dict[str, Any] = read_json(shipped_file(DRAWN if dataset is None else PHOTOS))
    spec.update({"$schema": schema, "name": name})
    if dataset is not None:  # the network for drawn people has as many levels as its images allow
        levels = round(math.log2(size[0] / spec["data"]["size"][0]))
        refiner = spec["generator"]["refiner"]
        refiner["depth"] = max(1, refiner["depth"] + levels)
    spec["data"]["size"] = list(size)
    training = spec["training"]
    training.pop("device", None)
    if dataset is not None:
        spec["data"]["dataset"].update(dataset)
        spec["data"]["dataset"]["prepare"]["crop"]["aspect"] = size[0] / size[1]
    if photos is not None:
        training["batch_size"] = max(1, min(training["batch_size"], photos // _PHOTOS_PER_BATCH))
    return spec
