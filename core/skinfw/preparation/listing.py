"""What is in a source of photos."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from skinfw.data.image_formats import IMAGE_SUFFIXES, is_image_name
from skinfw.errors import DataError, counted
from skinfw.preparation.config import View
from skinfw.preparation.photo_list import is_photo_list
from skinfw.preparation.report import Reason, Row
from skinfw.system.paths_below import real_paths


@dataclass(frozen=True)
class Entry:
    """One photo of a source.

    Attributes:
        name: its name: the path below the source, with forward slashes.
        path: its file, which exists during the preparation.
        archive: the zip from which the file is unpacked when needed, or None.
        url: its URL, or empty.
        view: the view of the person, if the source has it.
        group: samples of a group stay on one side of the split; empty if the source has none.
        error: why the file is missing.
    """

    name: str
    path: Path
    archive: Path | None = None
    url: str = ""
    view: View | None = None
    group: str = ""
    error: str = ""


@dataclass
class Listing:
    """What is in a source.

    Attributes:
        entries: its photos, sorted by name.
        rejected: what may have been meant as a photo: a dangling link, an unreadable folder, a rejected
            archive member.
        others: what is not a photo, by path: other files, hidden ones, columns of a list.
    """

    entries: list[Entry]
    rejected: list[Row] = field(default_factory=list)
    others: dict[Path, Row] = field(default_factory=dict)

    def not_used(self, used: Collection[Path]) -> list[Row]:
        """Return the rows of other files that do not belong to photos.

        Args:
            used: files that belong to photos, such as their label maps and poses.
        """
        real = real_paths()
        belonging = {real(path) for path in used}
        return [row for path, row in sorted(self.others.items()) if real(path) not in belonging]

    def add_other(self, path: Path, name: str, reason: Reason, detail: str) -> None:
        """Add something other than a photo."""
        self.others[path] = Row(name, "", "not used", reason, detail)

    def add_rejected(self, path: Path, name: str, detail: str) -> None:
        """Add an unreadable file: rejected if its name is that of an image."""
        if is_image_name(name):
            self.rejected.append(Row(name, "", "rejected", "photo cannot be read", f"{name}: {detail}"))
        else:
            self.add_other(path, name, "cannot be read", detail)


def samples_instead(root: Path, listing: Listing) -> DataError | None:
    """Return the error that a source contains prepared samples instead of photos; None if it has none."""
    samples = sum(row.reason == "prepared sample" for row in listing.others.values())
    if not samples:
        return None
    return DataError(
        f"{root}: contains {counted(samples, 'sample')} that skinfw prepared, not photos; give the "
        'folder of the photos, or train on the samples: "dataset": {"type": "folder", "root": "FOLDER"}'
    )


def no_photo(root: Path, listing: Listing) -> DataError:
    """Return the error that a source has no photos, and what it contains."""
    if not listing.rejected and (prepared := samples_instead(root, listing)) is not None:
        return prepared
    looked = "the list is empty" if is_photo_list(root) else f"looked for {', '.join(IMAGE_SUFFIXES)}"
    rows = [*listing.rejected, *listing.not_used(())]
    found = "; ".join(f"{row.reason}: {row.photo}" for row in rows[:3])
    more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    return DataError(f"{root}: no photos in it ({looked}{'; ' if found else ''}{found}{more})")
