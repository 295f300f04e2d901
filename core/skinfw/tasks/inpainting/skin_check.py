"""A check before training: whether there is any skin to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.components.field_names import SKIN
from skinfw.errors import DataError
from skinfw.interfaces import Dataset


def require_skin(dataset: Dataset[Any], names: Sequence[str]) -> None:
    """Look at samples until one has skin, where the training asks for skin.

    Args:
        dataset: where samples come from.
        names: the samples of the training.

    Raises:
        DataError: no sample that can be read has skin.
    """
    if SKIN not in dataset.io.inputs:
        return
    read = 0
    for name in names:
        try:
            sample = dataset.load(name)
        except DataError:  # the loader reports it, or stops at it
            continue
        if sample[SKIN].any():
            return
        read += 1
    if read:
        raise DataError(
            f"none of the {read} training samples has skin: {SKIN} is black everywhere, so there is nothing "
            "to learn; check the masks, or prepare the photos with another segmenter"
        )
