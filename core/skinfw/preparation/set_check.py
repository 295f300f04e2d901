"""The check that the label maps of a whole set are read with the right label set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from skinfw.data.plausibility import MIRRORED, Fits, better_tables_of_set
from skinfw.errors import DataError
from skinfw.preparation.report import Row

EARLY = 20
"""Number of photos after which a set with wrong label maps stops, instead of at the end."""

MIN_CLEAR, MIN_SLIGHT = 3, 8
"""Minimum number of conclusive photos: if most are rejected, and if another table is slightly better."""


class SetCheck:
    """Checks the label maps of a set as they are read, those of each segmenter on their own.

    Args:
        segmenters: the segmenters whose label maps are checked, as `Row.segmenter` names them.
    """

    def __init__(self, segmenters: Collection[str]) -> None:
        self._segmenters = segmenters
        self._checks: defaultdict[str, _SegmenterCheck] = defaultdict(_SegmenterCheck)

    def add(self, row: Row) -> None:
        """Add a photo.

        Raises:
            DataError: the label maps use another label set.
        """
        if row.segmenter in self._segmenters:
            self._checks[row.segmenter].add(row)

    def check(self) -> None:
        """Check the photos so far.

        Raises:
            DataError: the label maps of a segmenter use another label set.
        """
        for check in self._checks.values():
            check.check()


class _SegmenterCheck:
    """Checks the label maps of one segmenter: only their fits to tables can be compared."""

    def __init__(self) -> None:
        self._fits: list[Fits] = []
        self._rejected = 0
        self._first = ""

    def add(self, row: Row) -> None:
        """Add a photo.

        Raises:
            DataError: the label maps use another label set.
        """
        if not row.fits:
            return
        self._fits.append(row.fits)
        if row.reason == "label map implausible":
            self._rejected += 1
            self._first = self._first or row.detail
        if len(self._fits) == EARLY:
            self.check()

    def check(self) -> None:
        """Check the photos so far.

        Raises:
            DataError: the label maps use another label set.
        """
        count = len(self._fits)
        most = count >= MIN_CLEAR and self._rejected > count / 2
        better = better_tables_of_set(self._fits) if most or count >= MIN_SLIGHT else []
        if not most and not better:
            return
        mirrored = better[:1] == [MIRRORED]
        what = f"{self._rejected} of {count} label maps are implausible as they are read"
        if not most and mirrored:
            what = f"{count} label maps fit the poses less well than their mirror images"
        elif not most:
            what = f"{count} label maps are read with a table that fits less well than another"
        advice = "choose their label set, or the poses that belong to the photos"
        if mirrored:
            advice = "mirror the label maps, or the photos with their poses"
        elif better:
            named = " or ".join(name for name in better if name != MIRRORED)
            advice = f"set {named}, which fits them better"
        first = f"; the first: {self._first}" if self._first else ""
        raise DataError(f"{what}: {advice}, or set check_labels to false{first}")
