"""Recognizes folders that skinfw wrote, whose images are not photos."""

from __future__ import annotations

from collections.abc import Collection

OWN_FOLDERS = {
    "a run": ("spec.json", "environment.json"),
    "an evaluation": ("metrics.json", "report.html"),
    "a contact sheet": ("samples.js", "index.html"),
}
"""Files that each kind of folder has."""


def own_folder(files: Collection[str]) -> str:
    """Return the kind of a folder that skinfw wrote, by the names of its files; empty for other folders.

    Example:
        >>> own_folder({"spec.json", "environment.json", "log.jsonl"}), own_folder({"front.jpg"})
        ('a run', '')
    """
    return next((kind for kind, names in OWN_FOLDERS.items() if set(names) <= set(files)), "")
