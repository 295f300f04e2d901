"""What prepare has to do: one task a photo."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinfw.data.struck_out import STRUCK_OUT_FILE
from skinfw.preparation.preparer import PhotoPreparer
from skinfw.preparation.report import Row
from skinfw.preparation.source import Entry

LONGEST_NAME = 230
"""Bytes that a folder's name may have: file systems take 255, and a sample in work has a longer one."""

LONGEST_PATH = 3000
"""Bytes that the whole name may have: systems take 4,095 of a path, and the output folder is part of it."""


@dataclass(frozen=True)
class Task:
    """One photo and its sample.

    Attributes:
        entry: the photo.
        sample: the sample's name.
        refused: what became of it already, where its name cannot be used.
    """

    entry: Entry
    sample: str
    refused: Row | None = None

    def run(self, preparer: PhotoPreparer) -> Row:
        """Prepare the photo."""
        return self.refused or preparer.prepare(self.entry, self.sample)


def make_tasks(entries: Sequence[Entry], gone: Collection[str] = ()) -> list[Task]:
    """Give each photo its sample's name: its own without the ending.

    A name is taken when an earlier photo has it, or has one that it lies inside of.

    Args:
        entries: the photos.
        gone: names of samples that are struck out; what is there of them stays as it is.
    """
    owners: dict[str, str] = {}
    tasks = []
    for entry in entries:
        name = Path(entry.name).with_suffix("").as_posix()
        inside = [name, *(parent.as_posix() for parent in Path(name).parents)]
        owner = next((owners[part] for part in inside if part in owners), None)
        refused = None
        if owner is not None:
            detail = f"the sample of {owner} is in the way"
            refused = Row(entry.name, name, "left out", "name already taken", detail)
        elif name in gone:
            refused = Row(entry.name, name, "left out", "struck out", f"{STRUCK_OUT_FILE} names {name}")
        elif detail := _too_long(entry.name, name):
            refused = Row(entry.name, name, "left out", "name too long", detail)
        else:
            owners[name] = entry.name
        tasks.append(Task(entry, name, refused))
    return tasks


def _too_long(photo: str, sample: str) -> str:
    """Return why a sample's name is too long; nothing where it is not."""
    name = sample.encode("utf-8", "surrogateescape")
    if any(len(part) > LONGEST_NAME for part in name.split(b"/")):
        return f"{photo}: a part of it is longer than {LONGEST_NAME} bytes; rename it"
    return f"{photo}: it is longer than {LONGEST_PATH} bytes; rename it" if len(name) > LONGEST_PATH else ""
