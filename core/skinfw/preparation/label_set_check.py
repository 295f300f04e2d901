"""Checks, without poses, that label maps are read with the right label set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skinfw.data.label_evidence import evidence_of
from skinfw.data.photo import Photo
from skinfw.data.plausibility import Fits, better_tables, better_tables_of_set, fits_of
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter

_LOOKED_AT, _MIN = 16, 3
"""Number of photos checked, and minimum number of conclusive ones."""


def check_label_sets(segmenter: Segmenter[Any], photos: Sequence[Path]) -> None:
    """Reject photos whose label maps mostly use another label set, judged by the outline of the people.

    It checks a few evenly chosen photos and skips unreadable ones.

    Args:
        segmenter: reads the label maps; without other tables nothing is checked.
        photos: the photos.

    Raises:
        DataError: another table, named in the message, fits more than half of the label maps clearly better.
    """
    others = segmenter.other_tables()
    if not others:
        return
    fits: list[Fits] = []
    chosen = np.linspace(0, len(photos) - 1, min(_LOOKED_AT, len(photos))).round().astype(int)
    for index in chosen:
        try:
            found = segmenter.segment(Photo.read(photos[index]))
        except DataError:  # the loader reports it
            continue
        evidence = evidence_of(found, None)
        if evidence is not None:
            fits.append(fits_of(evidence, found.table, others))
    wrong = [each for each in fits if better_tables(each)]
    if len(fits) < _MIN or len(wrong) <= len(fits) / 2:
        return
    better = better_tables_of_set(wrong) or better_tables(wrong[0])
    raise DataError(
        f"{len(wrong)} of {len(fits)} checked label maps are implausible as they are read (first photo: "
        f"{photos[0]}): set {' or '.join(better)}, which fits them better"
    )
