"""Reading tars of any compression with limits, as their headers are not trusted."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from skinfw.system.regular_file import open_regular

MIN_TOTAL = 2**30
MAX_RATIO = 100
"""Limits for all files of an archive together, in bytes and as a multiple of the archive's size, whichever is
larger: photos and label maps are already compressed and grow at most a few times."""

_MAX_HEADER = 2**24
"""Maximum bytes of a tar header; Python reads it at once."""


class LimitError(Exception):
    """An archive exceeds a limit."""


def max_total(archive: Path) -> int:
    """Return the maximum total bytes of an archive's files."""
    return max(MIN_TOTAL, MAX_RATIO * archive.stat().st_size)


def tar_infos(archive: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """Yield the headers of a tar one after the other."""
    with open_regular(archive) as file:
        stream = _BoundedReader(_unpacked(file), max_total(archive))
        # it implements only what tarfile needs for reading
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as tar:
            last = -1
            while (info := tar.next()) is not None:
                if info.size < 0 or info.offset <= last:
                    raise tarfile.ReadError(f"a header with the offset {info.offset} and size {info.size}")
                last = info.offset
                yield info, tar
                vars(tar)["members"].clear()  # tarfile would keep them all


def _unpacked(file: IO[bytes]) -> Any:
    """Return the stream of a tar with any compression."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if start == b"\xfd7zXZ\x00" else file


class _BoundedReader:
    """Reads a stream up to a limit and never a large chunk: tarfile trusts every size.

    Args:
        stream: the stream.
        most: maximum bytes to read.
    """

    def __init__(self, stream: Any, most: int) -> None:
        self._stream = stream
        self._most = most

    def read(self, size: int = -1) -> bytes:
        """Return at most this many bytes."""
        if not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        data: bytes = self._stream.read(size)
        return data

    def seek(self, position: int, whence: int = 0) -> int:
        """Seek to a position; a compressed stream is decompressed up to there."""
        if whence == 0 and position > self._most:
            raise LimitError(f"unpacks to more than {self._most:,} bytes; the rest is not read")
        place: int = self._stream.seek(position, whence)
        return place

    def tell(self) -> int:
        """Return the position."""
        place: int = self._stream.tell()
        return place
