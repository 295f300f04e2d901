"""Walks through folders: each folder once, despite links, and regular files only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from skinfw.system.regular_file import special_file

_PSEUDO = ("/dev", "/proc", "/sys")


@dataclass(frozen=True)
class Skipped:
    """An entry of a folder that is not read.

    Attributes:
        path: its path.
        kind: a folder that cannot be read, a broken link, a link to a folder that is not followed, or a
            FIFO, device or socket.
        detail: a short reason.
    """

    path: Path
    kind: Literal["folder", "broken link", "link", "special file"]
    detail: str


@dataclass
class Folder:
    """A folder that was read.

    Attributes:
        path: the folder, as it was reached.
        files: names of its regular files and links to regular files, sorted.
        below: names of its folders and links to folders, sorted; the walk enters those that the caller
            keeps in the list.
        skipped: entries that are not read.
    """

    path: Path
    files: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def walk(roots: Sequence[Path]) -> Iterator[Folder]:
    """Yield folders and all their subfolders, each once.

    Links to folders are followed after all folders that are reachable without links, so a link never changes
    where a file is found. A link is not followed if its folder was read before or contains one of the
    roots: loops of links end, and no link leads through the whole disk.
    """
    visited: set[tuple[int, int]] = set()
    tops = [os.path.realpath(root) for root in roots]
    starts = set(roots)
    pending = sorted((root for root in roots if not root.is_symlink()), reverse=True)
    linked = sorted((root for root in roots if root.is_symlink()), reverse=True)
    while pending or linked:
        by_link = not pending
        path = (linked if by_link else pending).pop()
        rejected = _rejected(path, visited, () if path in starts else tops, by_link)
        if rejected is not None:
            if path not in starts or by_link:
                yield Folder(path.parent, skipped=[rejected])
            continue
        if by_link:
            tops.append(os.path.realpath(path))
        folder = _read(path)
        yield folder
        for name in reversed(folder.below):
            below = path / name
            (linked if below.is_symlink() else pending).append(below)
        linked.sort(reverse=True)


def _rejected(
    path: Path, visited: set[tuple[int, int]], tops: Sequence[str], by_link: bool
) -> Skipped | None:
    """Return why a folder is not read; None if it is, and mark it as visited."""
    try:
        facts = path.stat()
    except OSError as error:
        return Skipped(path, "folder", f"the folder cannot be read: {error.strerror}")
    identity = (facts.st_dev, facts.st_ino)
    if identity in visited:
        return Skipped(path, "link", "leads to a folder that was already read")
    if by_link:
        real = os.path.realpath(path)
        if any(_contains(real, top) for top in tops):
            return Skipped(path, "link", f"leads to a parent folder ({real})")
        if any(_contains(pseudo, real) for pseudo in _PSEUDO):
            return Skipped(path, "link", f"leads to {real}, which has no files")
    visited.add(identity)
    return None


def _contains(folder: str, other: str) -> bool:
    return Path(other).is_relative_to(folder)


def _read(path: Path) -> Folder:
    folder = Folder(path)
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        folder.skipped.append(Skipped(path, "folder", f"the folder cannot be read: {error.strerror}"))
        return folder
    for entry in entries:
        try:
            mode = entry.stat().st_mode if entry.is_symlink() else entry.stat(follow_symlinks=False).st_mode
        except OSError as error:
            detail = "a broken link" if entry.is_symlink() else f"cannot be read: {error.strerror}"
            folder.skipped.append(Skipped(Path(entry.path), "broken link", detail))
            continue
        if stat.S_ISDIR(mode):
            folder.below.append(entry.name)
        elif stat.S_ISREG(mode):
            folder.files.append(entry.name)
        else:
            folder.skipped.append(Skipped(Path(entry.path), "special file", special_file(mode)))
    return folder
