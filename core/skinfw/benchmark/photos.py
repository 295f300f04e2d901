"""Which photos are measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skinfw.assembly.build import build
from skinfw.benchmark.trained import photos_of_tests, trained_by, warn_of_trained
from skinfw.components.reference import ComponentSpec
from skinfw.data.split import group_sides
from skinfw.errors import DataError
from skinfw.interfaces import Segmenter
from skinfw.preparation.duplicates import photo_groups
from skinfw.preparation.source import photos_below


def chosen_photos(
    root: Path,
    truth: ComponentSpec,
    test_fraction: float | None = None,
    limit: int | None = None,
    measured: Sequence[ComponentSpec] = (),
) -> list[Path]:
    """Return the photos below a folder that are to be measured.

    Args:
        root: the folder.
        truth: the segmenter of the true label maps; its files are not photos.
        test_fraction: only those that a run with this fraction keeps for its test; None for all. Where a run
            of skinfw trained what is measured, that is the split that it recorded.
        limit: at most so many, evenly chosen; None for no limit.
        measured: what is measured.

    Raises:
        DataError: there is no such folder, or no photo to be measured in it.
        UserError: a run that trained what is measured was made with another fraction or has no record.
    """
    photos = photos_below(root, build(truth, Segmenter).sources)
    trained = trained_by(measured)
    if test_fraction is None:
        warn_of_trained(root, photos, trained)
    elif trained:
        photos = photos_of_tests(root, photos, test_fraction, trained)
    elif test_fraction < 1:
        groups = photo_groups(root, [photo.relative_to(root).as_posix() for photo in photos])
        sides, _ = group_sides(groups.values(), test_fraction, 0)
        photos = [photo for photo in photos if sides[groups[photo.relative_to(root).as_posix()]] == "test"]
    if not photos:
        raise DataError(f"{root}: no photo to measure: none is in the test part of {test_fraction}")
    if limit is None or limit >= len(photos):
        return photos
    return [photos[index] for index in np.linspace(0, len(photos) - 1, limit).round().astype(int)]
