"""What became of each photo, and why some were left out."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skinfw.data.plausibility import Fits
from skinfw.system.json_file import replacing

REJECTED_FILE = "rejected.csv"

Reason = Literal[
    "could not be fetched",
    "photo cannot be read",
    "photo too small",
    "segmentation failed",
    "label map implausible",
    "nobody in the photo",
    "pose failed",
    "no pose found",
    "component failed",
    "too many people",
    "person too small",
    "person cut off",
    "not sharp",
    "other view",
    "other part of the body",
    "required class missing",
    "excluded class shown",
    "no skin found",
    "too little skin",
    "duplicate",
    "excluded",
    "name already taken",
    "name cannot be used",
    "name too long",
    "folder cannot be read",
    "not a photo",
    "hidden",
    "prepared sample",
    "link not followed",
    "cannot be read",
    "column not used",
    "comment",
]
"""The first ones are of photos that are left out, the last seven of what else is in a source."""

Status = Literal["made", "kept", "rejected", "not used"]


class Rejected(Exception):  # noqa: N818  # no error: it ends one photo's way
    """A photo does not become a sample.

    Attributes:
        reason: why.
        detail: the same with numbers and names.
        fits: how well tables of classes fit its label map, where that is known.
    """

    def __init__(self, reason: Reason, detail: str, fits: Fits | None = None) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail
        self.fits = fits


@dataclass(frozen=True)
class Row:
    """What became of one photo, or that something else in the source is not used.

    Attributes:
        photo: the photo's path below the root, with forward slashes.
        sample: the sample's name; empty where there is no photo.
        status: made now, kept from an earlier run, or left out; not used for what is not a photo.
        reason: why it was left out.
        detail: the same with numbers and names.
        phash: the photo's perceptual hash, where it became a sample.
        fits: how well tables of classes fit its label map, where that is known.
    """

    photo: str
    sample: str
    status: Status
    reason: Reason | None = None
    detail: str = ""
    phash: str = ""
    fits: Fits | None = None


@dataclass(frozen=True)
class PrepareReport:
    """What became of every photo, in the order of their names, and what else is in the source.

    Attributes:
        rows: the photos, and what may have been meant as one.
        others: files, folders and columns that are not used.
    """

    rows: tuple[Row, ...]
    others: tuple[Row, ...] = ()

    def count(self, status: Status) -> int:
        """Return how many photos have that status."""
        return sum(row.status == status for row in self.rows)

    def rejected(self) -> list[Row]:
        """Return the photos that did not become samples."""
        return [row for row in self.rows if row.status == "rejected"]

    def reasons(self) -> Counter[str]:
        """Return how many photos were left out, and other files not used, for each reason."""
        return Counter(str(row.reason) for row in [*self.rejected(), *self.others])

    def counts(self) -> str:
        """Return one line: how many photos were made, kept and left out, and how much else is not used."""
        photos = f"{self.count('made')} made, {self.count('kept')} kept, {self.count('rejected')} rejected"
        files = "file" if len(self.others) == 1 else "files"
        return f"{photos}, {len(self.others):,} other {files} not used" if self.others else photos

    def summary(self) -> str:
        """Return `counts` with the reasons."""
        told = ", ".join(f"{reason}: {count}" for reason, count in self.reasons().most_common())
        return f"{self.counts()} ({told})" if told else self.counts()

    def write_rejected(self, path: Path) -> None:
        """Write the photos that were left out, and what else is not used, as CSV: photo, reason, detail.

        Raises:
            RunError: the file cannot be written.
        """
        with (
            replacing(path) as temporary,
            # a file name need not be valid UTF-8
            temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(["photo", "reason", "detail"])
            writer.writerows([row.photo, row.reason, row.detail] for row in [*self.rejected(), *self.others])
