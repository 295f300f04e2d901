"""Checks, without poses, that label maps belong to the label set that they are read with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skinfw.data.photo import Photo
from skinfw.data.plausibility import Fits, better_tables, better_tables_of_set, evidence_of, fits_of
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter

_LOOKED_AT, _MIN = 16, 3
"""Photos that are looked at, and those that say something about a set."""


def check_label_sets(segmenter: Segmenter[Any], photos: Sequence[Path]) -> None:
    """Reject photos whose label maps are mostly of another label set, judged by the outline of the people.

    A few of the photos are looked at, evenly chosen; those that cannot be read are passed over.

    Args:
        segmenter: reads the label maps; one that knows no other tables has nothing to check.
        photos: the photos.

    Raises:
        DataError: another table fits more than half of the label maps clearly better; names it.
    """
    others = segmenter.other_tables()
    if not others:
        return
    fits: list[Fits] = []
    chosen = np.linspace(0, len(photos) - 1, min(_LOOKED_AT, len(photos))).round().astype(int)
    for index in chosen:
        try:
            found = segmenter.segment(Photo.read(photos[index]))
        except DataError:  # whoever loads it says so
            continue
        evidence = evidence_of(found, None)
        if evidence is not None:
            fits.append(fits_of(evidence, found.table, others))
    wrong = [each for each in fits if better_tables(each)]
    if len(fits) < _MIN or len(wrong) <= len(fits) / 2:
        return
    better = better_tables_of_set(wrong) or better_tables(wrong[0])
    raise DataError(
        f"{len(wrong)} of {len(fits)} label maps that were looked at are implausible as they are read (the "
        f"first photo: {photos[0]}): set {' or '.join(better)}, which fits them better"
    )
