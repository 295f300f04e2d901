"""The work of prepare: one task per photo."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from skinfw.data.excluded import EXCLUDED_FILE, excluded_among
from skinfw.data.image_formats import IMAGE_SUFFIXES, UNREADABLE_SUFFIXES
from skinfw.preparation.listing import Entry
from skinfw.preparation.preparer import PhotoPreparer
from skinfw.preparation.report import REJECTED_FILE, Row
from skinfw.system.paths_below import LONGEST_PART, composed, folded, name_error, without_suffix

_SUFFIXES = (*IMAGE_SUFFIXES, *UNREADABLE_SUFFIXES)
_TAKEN = (REJECTED_FILE, EXCLUDED_FILE, "doctor.html")

LONGEST_NAME = 230
"""Maximum bytes of a folder's name: file systems allow 255, and an unfinished sample has a longer name."""

LONGEST_PATH = 3000
"""Maximum bytes of the whole name: systems allow paths of 4,095, which include the output folder."""


@dataclass(frozen=True)
class Task:
    """One photo and its sample.

    Attributes:
        entry: the photo.
        sample: the sample's name.
        rejected: its result, if its name cannot be used.
    """

    entry: Entry
    sample: str
    rejected: Row | None = None

    def run(self, preparer: PhotoPreparer) -> Row:
        """Prepare the photo."""
        return self.rejected or preparer.prepare(self.entry, self.sample)


def make_tasks(entries: Sequence[Entry], gone: Collection[str] = ()) -> list[Task]:
    """Assign each photo its sample's name: its own without extension, in composed characters.

    A name is taken if an earlier photo has it, or if it is that of a folder with other photos. Photos in
    formats that can be read come first: cameras write raw files beside them, and people convert HEIC.

    Args:
        entries: the photos.
        gone: names of excluded samples; their existing files stay.
    """
    owners: dict[str, str] = {}
    names = [composed(without_suffix(entry.name, _SUFFIXES)) for entry in entries]
    folders = {folded(parent.as_posix()) for name in names for parent in PurePosixPath(name).parents}
    skipped = excluded_among(names, gone)
    tasks: dict[int, Task] = {}
    for index in sorted(range(len(entries)), key=lambda index: _is_unreadable(entries[index].name)):
        entry, name = entries[index], names[index]
        owner = owners.get(folded(name))
        rejected = None
        if detail := _unfit(name):
            rejected = Row(entry.name, name, "rejected", "name cannot be used", f"{entry.name}: {detail}")
        elif folded(name) in folders:
            detail = f"{entry.name}: a folder with photos has the same name as its sample; rename it"
            rejected = Row(entry.name, name, "rejected", "name already taken", detail)
        elif owner is not None:
            same = owner == entry.name
            detail = "it is already in the list" if same else f"the sample of {owner} is in the way"
            rejected = Row(entry.name, name, "rejected", "name already taken", detail)
        elif name in skipped:
            rejected = Row(entry.name, name, "rejected", "excluded", f"{EXCLUDED_FILE} names {name}")
        elif detail := _too_long(entry.name, name):
            rejected = Row(entry.name, name, "rejected", "name too long", detail)
        else:
            owners[folded(name)] = entry.name
        tasks[index] = Task(entry, name, rejected)
    return [tasks[index] for index in range(len(entries))]


def _is_unreadable(photo: str) -> bool:
    return photo.lower().endswith(tuple(UNREADABLE_SUFFIXES))


def _unfit(name: str) -> str:
    """Return why a sample cannot have a name; empty where it can."""
    parts = name.split("/")
    if all(parts) and any(part.startswith(".") for part in parts):
        return "a part of it begins with a dot, and data sets ignore hidden folders; rename it"
    if name in _TAKEN:
        return f"{name} is a file that skinfw writes among the samples; rename it"
    too_long = any(len(os.fsencode(part)) > LONGEST_PART for part in parts)
    return "" if too_long else name_error(name)  # names that are too long are reported separately


def _too_long(photo: str, sample: str) -> str:
    """Return why a sample's name is too long; empty if it is not."""
    name = sample.encode("utf-8", "surrogateescape")
    if any(len(part) > LONGEST_NAME for part in name.split(b"/")):
        return f"{photo}: a part of it is longer than {LONGEST_NAME} bytes; rename it"
    return f"{photo}: it is longer than {LONGEST_PATH} bytes; rename it" if len(name) > LONGEST_PATH else ""
