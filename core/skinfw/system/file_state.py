"""Whether files are still those that were read before. Light: the standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def files_state(paths: Iterable[Path]) -> str:
    """Return a hash of the sizes, times and inodes of files; their content is not read.

    The time of the last change of the inode counts too: some programs keep the time of the content.

    Args:
        paths: the files, in a fixed order; they may be missing.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            found = path.stat()
            state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
        except OSError:
            state = ""
        digest.update(f"{path.name}\0{state}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def folder_state(folder: Path) -> str:
    """Return the state of the files directly in a folder, which may be missing; see `files_state`."""
    try:
        return files_state(sorted(folder.iterdir()))
    except OSError:
        return files_state(())
