"""The hidden files that finished ones are written under, and what killed processes leave of them.

Light: imports nothing heavy.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skinfw.errors import RunError

_NAME = re.compile(r"\..+\.(\d+)-\d+\.tmp", re.DOTALL)
_LONGEST_BEGINNING = 200
"""Bytes of a file's name that its temporary name begins with: file systems take 255 in all."""

_numbers = itertools.count()
_in_use: set[str] = set()


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Give an empty hidden file beside ``path``, which is removed in the end if it is still there.

    Raises:
        OSError: it cannot be made.
    """
    # names a process, so that others know when it has been left behind
    temporary = path.with_name(f"{_beginning(path.name)}{os.getpid()}-{next(_numbers)}.tmp")
    _in_use.add(temporary.name)
    try:
        temporary.unlink(missing_ok=True)  # of a process that had the same number
        temporary.touch(exist_ok=False)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        _in_use.discard(temporary.name)


def _beginning(name: str) -> str:
    """Return what the temporary names of a file begin with."""
    return f".{os.fsdecode(os.fsencode(name)[:_LONGEST_BEGINNING])}."


def remove_leftovers(folder: Path, *, of: str = "", deep: bool = False) -> None:
    """Remove what killed processes left in a folder.

    Args:
        folder: where; it need not be there.
        of: remove only what was to become this file.
        deep: look into the folders below too.

    Raises:
        RunError: something cannot be removed.
    """
    beginning = _beginning(of) if of else "."
    try:
        for place, below, files in os.walk(folder):
            if not deep:
                below.clear()
            for name in files:
                if name.startswith(beginning):
                    _remove_if_left_behind(Path(place, name))
    except OSError as error:
        raise RunError(f"{error.filename or folder}: cannot be removed: {error.strerror or error}") from error


def _remove_if_left_behind(path: Path) -> None:
    """Remove a file that is temporary and whose process has ended."""
    found = _NAME.fullmatch(path.name)
    if found is None or path.name in _in_use:
        return
    if int(found[1]) == os.getpid() or not _is_alive(int(found[1])):
        path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    import psutil

    return process < 2**31 and bool(psutil.pid_exists(process))
