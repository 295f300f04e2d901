"""Which photos are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skinfw.build import build
from skinfw.component_spec import ComponentSpec
from skinfw.data.person_id import person_id
from skinfw.data.split import position
from skinfw.errors import DataError
from skinfw.interfaces import Segmenter
from skinfw.preparation.source import photos_below


def chosen_photos(
    root: Path, truth: ComponentSpec, test_fraction: float | None = None, limit: int | None = None
) -> list[Path]:
    """Return the photos below a folder that are to be measured.

    Args:
        root: the folder.
        truth: the segmenter of the true label maps; its files are no photos.
        test_fraction: only those that a run with this fraction keeps for its test; None for all.
        limit: at most so many, evenly chosen; None for no limit.

    Raises:
        DataError: there is no such folder, or no photo to be measured in it.
    """
    photos = photos_below(root, build(truth, Segmenter).sources)
    if test_fraction is not None:
        photos = [photo for photo in photos if _position(root, photo) < test_fraction]
    if not photos:
        raise DataError(f"{root}: no photo to measure: none is in the test part of {test_fraction}")
    if limit is None or limit >= len(photos):
        return photos
    return [photos[index] for index in np.linspace(0, len(photos) - 1, limit).round().astype(int)]


def _position(root: Path, photo: Path) -> float:
    return position(person_id(photo.relative_to(root).with_suffix("").as_posix()))
