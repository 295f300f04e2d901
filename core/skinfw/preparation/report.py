"""The result for each photo, and why some were rejected."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skinfw.data.plausibility import Fits
from skinfw.errors import counted
from skinfw.system.json_file import replacing

REJECTED_FILE = "rejected.csv"

Reason = Literal[
    "could not be fetched",
    "photo cannot be read",
    "photo too small",
    "segmentation failed",
    "label map implausible",
    "label map uncertain",
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
    "result of skinfw",
    "link not followed",
    "cannot be read",
    "column not used",
    "comment",
]
"""The first ones are for rejected photos, the last eight for everything else in a source."""

Status = Literal["made", "kept", "rejected", "not used"]


class Rejected(Exception):  # noqa: N818  # not an error: it rejects one photo
    """A photo does not become a sample.

    Attributes:
        reason: why.
        detail: the reason with numbers and names.
        fits: how well tables of classes fit its label map, if known.
        segmenter: the segmenter that found or should have found its label map, as in `Row`, if known.
        pose_encoder: likewise the pose encoder.
    """

    segmenter = ""
    pose_encoder = ""

    def __init__(self, reason: Reason, detail: str, fits: Fits | None = None) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail
        self.fits = fits


@dataclass(frozen=True)
class Row:
    """The result for one photo, or something else in the source that is not used.

    Attributes:
        photo: the photo's path below the root, with forward slashes.
        sample: the sample's name; empty without a photo.
        status: made now, kept from an earlier run, or left out; not used for anything but photos.
        reason: why it was rejected.
        detail: the reason with numbers and names.
        phash: the photo's perceptual hash, if it became a sample.
        fits: how well tables of classes fit its label map, if known.
        segmenter: the segmenter that found or should have found its label map, if known: its name, with its
            settings if there is another one of this type.
        pose_encoder: likewise the pose encoder; empty for samples without poses.
    """

    photo: str
    sample: str
    status: Status
    reason: Reason | None = None
    detail: str = ""
    phash: str = ""
    fits: Fits | None = None
    segmenter: str = ""
    pose_encoder: str = ""


@dataclass(frozen=True)
class MadeBy:
    """The components that photos needed, by their names in `Row`.

    Attributes:
        segmenters: the segmenters, also of rejected photos.
        pose_encoders: the pose encoders, likewise.
    """

    segmenters: frozenset[str]
    pose_encoders: frozenset[str]


@dataclass(frozen=True)
class PrepareReport:
    """The result for every photo, sorted by name, and what else is in the source.

    Attributes:
        rows: the photos, and files that may have been meant as photos.
        others: unused files, folders and columns.
        other_samples: samples in the output that are of other photos, for instance of photos that are gone,
            and not excluded.
    """

    rows: tuple[Row, ...]
    others: tuple[Row, ...] = ()
    other_samples: tuple[str, ...] = ()

    def count(self, status: Status) -> int:
        """Return the number of photos with a status."""
        return sum(row.status == status for row in self.rows)

    def rejected(self) -> list[Row]:
        """Return the photos that did not become samples."""
        return [row for row in self.rows if row.status == "rejected"]

    def reasons(self) -> Counter[str]:
        """Return the number of rejected photos and unused files for each reason."""
        return Counter(str(row.reason) for row in [*self.rejected(), *self.others])

    def made_by(self) -> MadeBy:
        """Return the components that the photos needed."""
        return MadeBy(
            frozenset(row.segmenter for row in self.rows), frozenset(row.pose_encoder for row in self.rows)
        )

    def counts(self) -> str:
        """Return one line: the numbers of photos made, kept and rejected, and of unused files.

        If several components found label maps or poses, it says how many each of them found.
        """
        text = f"{self.count('made')} made, {self.count('kept')} kept, {self.count('rejected')} rejected"
        if self.others:
            text += f", {counted(len(self.others), 'other file')} not used"
        samples = [row for row in self.rows if row.status in ("made", "kept")]
        text += _found_by("label maps", Counter(row.segmenter for row in samples))
        return text + _found_by("poses", Counter(row.pose_encoder for row in samples))

    def summary(self) -> str:
        """Return `counts` with the reasons."""
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self.reasons().most_common())
        return f"{self.counts()} ({reasons})" if reasons else self.counts()

    def write_rejected(self, path: Path) -> None:
        """Write the rejected photos and unused files as CSV: photo, reason, detail.

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


def _found_by(what: str, names: Counter[str]) -> str:
    """Return how many of something each component found; empty if one found all."""
    if len(names) < 2:
        return ""
    return f"; {what}: {', '.join(f'{count} by {name}' for name, count in names.most_common())}"
