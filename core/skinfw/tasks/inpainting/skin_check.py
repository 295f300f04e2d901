"""A check before training that there is skin to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.components.field_names import SKIN
from skinfw.errors import DataError
from skinfw.interfaces import Dataset


def require_skin(dataset: Dataset[Any], names: Sequence[str]) -> None:
    """Read samples until one has skin, if the training needs skin.

    Args:
        dataset: the source of the samples.
        names: the training samples.

    Raises:
        DataError: no readable sample has skin.
    """
    if SKIN not in dataset.io.inputs:
        return
    read = 0
    for name in names:
        try:
            sample = dataset.load(name)
        except DataError:  # the loader reports it or stops
            continue
        if sample[SKIN].any():
            return
        read += 1
    if read:
        raise DataError(
            f"none of the {read} training samples has skin: {SKIN} is black everywhere, so there is nothing "
            "to learn; check the masks, or prepare the photos with another segmenter"
        )
