"""The spec to start with, from the examples that were measured. Light: no torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
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


def size_for_photos(sizes: Sequence[Size], accelerator: Callable[[], bool]) -> Size:
    """Return the size to propose for photos: that of the measured spec, or on an accelerator twice that.

    Args:
        sizes: height and width of some of the photos: half of them must be as high as the larger images.
        accelerator: returns whether the network trains on one, such as a GPU; called if the photos allow it.
    """
    height, width = measured_size(drawn=False)
    tall = bool(sizes) and statistics.median(each[0] for each in sizes) >= 2 * height
    return (2 * height, 2 * width) if tall and accelerator() else (height, width)


def _depth(size: Size, measured: Size, depth: int) -> int:
    """Return how often a network halves its images: once more than measured for each doubling of the height.

    It is one less if the size fits only then: both sides must be multiples of 2 to the power of the depth.
    """
    wanted = max(1, depth + round(math.log2(size[0] / measured[0])))
    misfits = [any(side % 2**each for side in size) for each in (wanted, wanted - 1)]
    return wanted - 1 if wanted > 1 and misfits == [True, False] else wanted


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
        refiner = spec["generator"]["refiner"]
        refiner["depth"] = _depth(size, measured_size(drawn=False), refiner["depth"])
    spec["data"]["size"] = list(size)
    training = spec["training"]
    training.pop("device", None)
    if dataset is not None:
        spec["data"]["dataset"].update(dataset)
        spec["data"]["dataset"]["prepare"]["crop"]["aspect"] = size[0] / size[1]
    if photos is not None:
        training["batch_size"] = max(1, min(training["batch_size"], photos // _PHOTOS_PER_BATCH))
    return spec
