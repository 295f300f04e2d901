"""What became of each photo, and why some were left out."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skinfw.jsonfile import replacing

Reason = Literal[
    "could not be fetched",
    "photo cannot be read",
    "photo too small",
    "segmentation failed",
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
    "wanted class missing",
    "unwanted class shown",
    "too little skin",
    "duplicate",
    "struck out",
    "name already taken",
    "name too long",
]


class LeftOut(Exception):  # noqa: N818  # no error: it ends one photo's way
    """A photo does not become a sample.

    Attributes:
        reason: why.
        detail: the same with numbers and names.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Row:
    """What became of one photo.

    Attributes:
        photo: the photo's path below the root, with forward slashes.
        sample: the sample's name.
        status: made now, kept from an earlier run, or left out.
        reason: why it was left out.
        detail: the same with numbers and names.
        phash: the photo's perceptual hash, where it became a sample.
    """

    photo: str
    sample: str
    status: Literal["made", "kept", "left out"]
    reason: Reason | None = None
    detail: str = ""
    phash: str = ""


@dataclass(frozen=True)
class PrepareReport:
    """What became of every photo, in the order of their names."""

    rows: tuple[Row, ...]

    def count(self, status: Literal["made", "kept", "left out"]) -> int:
        """Return how many photos have that status."""
        return sum(row.status == status for row in self.rows)

    def left_out(self) -> list[Row]:
        """Return the photos that did not become samples."""
        return [row for row in self.rows if row.status == "left out"]

    def reasons(self) -> Counter[str]:
        """Return how many photos were left out for each reason."""
        return Counter(str(row.reason) for row in self.left_out())

    def summary(self) -> str:
        """Return one line: how many were made, kept and left out, and for which reasons."""
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self.reasons().most_common())
        counts = f"{self.count('made')} made, {self.count('kept')} kept, {self.count('left out')} left out"
        return f"{counts} ({reasons})" if reasons else counts

    def write_left_out(self, path: Path) -> None:
        """Write the photos that were left out as CSV: photo, reason, detail.

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
            writer.writerows([row.photo, row.reason, row.detail] for row in self.left_out())
