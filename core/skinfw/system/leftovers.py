"""Hidden temporary files and folders, which are renamed when complete, and the leftovers of killed processes.

Light: imports nothing heavy.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skinfw.errors import RunError, write_error_text

_NAME = re.compile(r"\..+\.(\d+)-\d+\.tmp", re.DOTALL)
_LONGEST_BEGINNING = 200
"""Bytes of the file name that start the temporary name: file systems allow 255 in all."""

_numbers = itertools.count()
_in_use: set[str] = set()


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yield an empty hidden file next to ``path``; it is removed at the end if it still exists.

    Raises:
        OSError: it cannot be created.
    """
    # contains the process id, so that others can recognize a leftover
    temporary = path.with_name(f"{_beginning(path.name)}{os.getpid()}-{next(_numbers)}.tmp")
    _in_use.add(temporary.name)
    try:
        temporary.unlink(missing_ok=True)  # of an earlier process with the same id
        temporary.touch(exist_ok=False)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        _in_use.discard(temporary.name)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside ``path`` to write to; on success it replaces ``path``.

    Raises:
        RunError: it cannot be written to. The old folder stays as it was.
    """
    hidden = path.with_name(f"{_beginning(path.name)}{os.getpid()}-{next(_numbers)}.tmp")
    new, old = hidden / "new", hidden / "old"
    _in_use.add(hidden.name)
    try:
        with writing(path):
            new.mkdir(parents=True)
        yield new
        with writing(path):
            _swap(path, new, old)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        _in_use.discard(hidden.name)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn errors of the with block into one that names what is written.

    Raises:
        RunError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {write_error_text(error)}") from error


def _swap(path: Path, new: Path, old: Path) -> None:
    """Move a file, folder or link to ``old`` if it exists, and ``new`` to its place."""
    exists = os.path.lexists(path)
    if exists:
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if exists:
            old.rename(path)
        raise


def write_whole(path: str, data: bytes | bytearray) -> None:
    """Write a file completely or not at all, as fast as possible, by plain system calls.

    Args:
        path: the path; its name has at most 200 bytes.
        data: the content.

    Raises:
        OSError: it cannot be written; an old file stays.
    """
    folder, _, name = path.rpartition(os.sep)
    hidden = f".{name}.{os.getpid()}-{next(_numbers)}.tmp"
    temporary = f"{folder}{os.sep}{hidden}"
    _in_use.add(hidden)
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
        try:
            rest = memoryview(data)
            while rest:  # the system may write only a part at a time
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        os.replace(temporary, path)  # noqa: PTH105  # making paths takes as long as writing
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    finally:
        _in_use.discard(hidden)


def _beginning(name: str) -> str:
    """Return the start of a file's temporary names."""
    return f".{os.fsdecode(os.fsencode(name)[:_LONGEST_BEGINNING])}."


def remove_leftovers(folder: Path, *, of: str = "", deep: bool = False) -> None:
    """Remove the leftovers of killed processes in a folder.

    Args:
        folder: the folder; it may be missing.
        of: remove only leftovers of this file.
        deep: include subfolders.

    Raises:
        RunError: something cannot be removed.
    """
    beginning = _beginning(of) if of else "."
    try:
        for place, below, files in os.walk(folder):
            for name in [*files, *below]:
                if name.startswith(beginning):
                    _remove_if_left_behind(Path(place, name))
            if not deep:
                below.clear()
    except OSError as error:
        raise RunError(f"{error.filename or folder}: cannot be removed: {error.strerror or error}") from error


def _remove_if_left_behind(path: Path) -> None:
    """Remove a temporary file or folder if its process has ended."""
    found = _NAME.fullmatch(path.name)
    if found is None or path.name in _in_use:
        return
    if int(found[1]) == os.getpid() or not _is_alive(int(found[1])):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    import psutil

    return process < 2**31 and bool(psutil.pid_exists(process))
