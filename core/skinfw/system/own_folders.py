"""Recognizes folders and images that skinfw wrote, which are not photos."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from skinfw.system.regular_file import read_regular

OWN_FOLDERS = {
    "a run": ("spec.json", "environment.json"),
    "an evaluation": ("metrics.json", "report.html"),
    "a contact sheet": ("samples.js", "index.html"),
}
"""Files that each kind of folder has."""

TABLES = ("painted.jsonl", "repaired.jsonl")
"""Tables of painted and repaired photos, in the folder of these images."""


def own_folder(files: Collection[str]) -> str:
    """Return the kind of a folder that skinfw wrote, by the names of its files; empty for other folders.

    Example:
        >>> own_folder({"spec.json", "environment.json", "log.jsonl"}), own_folder({"front.jpg"})
        ('a run', '')
    """
    return next((kind for kind, names in OWN_FOLDERS.items() if set(names) <= set(files)), "")


def listed_images(folder: Path, files: Collection[str]) -> set[Path]:
    """Return the images in a folder and below it that its tables of painted and repaired photos list.

    Args:
        folder: the folder.
        files: the names of its files.
    """
    found = set()
    for table in set(TABLES) & set(files):
        with suppress(OSError):  # it cannot be read
            for line in read_regular(folder / table).splitlines():
                # another program's, or cut off
                with suppress(ValueError, TypeError, KeyError, RecursionError):
                    found.add(folder / json.loads(line)["output"])
    return found - {folder}  # the output of what was not painted is empty
