"""The photos to measure."""

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
    """Return the photos to measure below a folder.

    Args:
        root: the folder.
        truth: the segmenter of the true label maps; its files are not photos.
        test_fraction: only the test photos of a run with this fraction; None for all. For components trained
            by skinfw, that is their recorded split.
        limit: maximum number, evenly chosen; None for no limit.
        measured: the measured components.

    Raises:
        DataError: the folder does not exist, or holds no photo to measure.
        UserError: the run of a measured component used another fraction or has no record.
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
        raise DataError(f"{root}: no photo to measure: none is in the test split of {test_fraction}")
    if limit is None or limit >= len(photos):
        return photos
    return [photos[index] for index in np.linspace(0, len(photos) - 1, limit).round().astype(int)]
