"""Opens regular files only: a FIFO or device among the data neither blocks nor is read."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

# Windows opens files as text by default, and nothing blocks there
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: str | Path) -> BufferedReader:
    """Open a regular file for reading bytes; follows links.

    Raises:
        OSError: the file is missing (`FileNotFoundError`), a folder (`IsADirectoryError`), a FIFO, a device,
            a socket, a loop of links, or cannot be opened; `strerror` says which.
    """
    try:
        # before opening, as opening a device can have side effects
        _check(Path(path).stat().st_mode, path)
        descriptor = os.open(path, _FLAGS)
    except ValueError as error:  # a zero byte in the path
        raise OSError(errno.EINVAL, str(error), str(path)) from None
    try:
        # again, as another file may have replaced it
        _check(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: str | Path, max_bytes: int | None = None) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: the file.
        max_bytes: a larger file is an error and is not read; None for no limit.

    Raises:
        OSError: as `open_regular`, or the file is larger than ``max_bytes``.
    """
    with open_regular(path) as file:
        if max_bytes is None:
            return file.read()
        # a file may be larger than it says, as in /proc, or grow meanwhile
        small = os.fstat(file.fileno()).st_size <= max_bytes
        if small and len(data := file.read(max_bytes + 1)) <= max_bytes:
            return data
    raise OSError(errno.EFBIG, f"larger than {max_bytes:,} bytes", str(path))


def special_file(mode: int) -> str:
    """Return the kind of a file that is neither regular nor a folder, from its ``st_mode``.

    Example:
        >>> special_file(stat.S_IFIFO)
        'a FIFO, not a regular file'
    """
    return f"{_KINDS.get(stat.S_IFMT(mode), 'a special file')}, not a regular file"


def _check(mode: int, path: str | Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, special_file(mode), str(path))
