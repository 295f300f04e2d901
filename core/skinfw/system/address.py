"""Files in a folder that is on disk, or at an address that fsspec knows, such as ``s3://bucket``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from skinfw.errors import DataError, first_line

TRIES = 3
"""Attempts at a request to a server."""

PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

CHUNK = 2**20
"""Bytes that are requested at a time from a file that is read as a whole."""

_END = 4096

ResultT = TypeVar("ResultT")


class AddressedFolder:
    """A folder whose files are read in parts.

    It can be sent to other processes: it opens a connection in each when it is needed.

    Args:
        address: an absolute path, or an address that fsspec knows.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/") or "/"

    def place(self, name: str) -> str:
        """Return what to call a file in messages."""
        return f"{self.address}/{name}"

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine.

        Raises:
            DataError: the address cannot be opened.
        """
        return isinstance(self._opened()[0], LocalFileSystem)

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None if the server does not say it.

        Raises:
            DataError: it is missing, not a regular file, or cannot be reached.
        """
        size = self._info(name).get("size")
        return size if isinstance(size, int) else None

    def state(self, name: str) -> str:
        """Return a text that changes when a file changes: its place, size, times, and last bytes.

        Raises:
            DataError: as `size`, or the file cannot be read.
        """
        found = self._info(name)
        size = found.get("size") or 0
        end = self.read(name, max(0, size - _END), size)
        return f"{self.place(name)} {sorted(found.items(), key=str)} {end!r}"

    def _info(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._try(name, lambda files, path: files.info(path))
        if found.get("type") != "file":
            raise DataError(f"{self.place(name)}: is not a regular file")
        return found

    def read(self, name: str, start: int, stop: int) -> bytes:
        """Return the bytes of a file from ``start`` to before ``stop``.

        Raises:
            DataError: the file is missing or shorter, or cannot be read.
        """
        data: bytes = self._try(name, lambda files, path: files.cat_file(path, start=start, end=stop))
        if len(data) > stop - start:
            raise DataError(
                f"{self.place(name)}: the server sends whole files instead of byte ranges; use another server"
            )
        if len(data) < stop - start:
            raise DataError(f"{self.place(name)}: ends before byte {stop:,}; copy it again")
        return data

    def lines(self, name: str, longest: int) -> Iterator[bytes]:
        """Yield the lines of a file, with their ends; the last one may lack it.

        Args:
            name: the file.
            longest: after a line of more bytes, nothing is read.

        Raises:
            DataError: it is missing, not a regular file, or cannot be read.
        """
        size = self.size(name)
        if size is None:
            raise DataError(f"{self.place(name)}: the server does not say its size; use another server")
        rest = b""
        for start in range(0, size, CHUNK):
            *whole, rest = (rest + self.read(name, start, min(start + CHUNK, size))).split(b"\n")
            yield from (line + b"\n" for line in whole)
            if len(rest) > longest:
                break
        if rest:
            yield rest

    def _opened(self) -> tuple[Any, str]:
        try:
            # fsspec keeps the connections of a process
            return fsspec.core.url_to_fs(self.address)  # type: ignore[no-any-return]
        except ImportError as error:
            raise DataError(
                f"{self.address}: needs a package that is not installed: {first_line(error)} (for http and "
                "https: pip install 'skinfw[http]')"
            ) from error
        except Exception as error:  # whatever an implementation raises for its arguments
            raise DataError(f"{self.address}: cannot be opened: {first_line(error)}") from error

    def _try(self, name: str, action: Callable[[Any, str], ResultT]) -> ResultT:
        files, folder = self._opened()
        left = 1 if isinstance(files, LocalFileSystem) else TRIES
        while True:
            left -= 1
            try:
                return action(files, f"{folder.rstrip('/')}/{name}")
            except Exception as error:  # clients of servers raise anything
                reason = _reason(error)
                if isinstance(reason, FileNotFoundError):
                    raise DataError(
                        f"{self.place(name)}: is missing; copy it there, or check the address"
                    ) from error
                if not left or isinstance(reason, PermissionError):
                    detail = getattr(reason, "strerror", None) or first_line(reason)
                    raise DataError(f"{self.place(name)}: cannot be read: {detail}") from error
            time.sleep(PAUSE * 2 ** (TRIES - 1 - left))


def _reason(error: Exception) -> Exception:
    """Return the error behind a missing file: over HTTP, fsspec calls everything missing."""
    cause = error.__cause__ if isinstance(error, FileNotFoundError) else None
    return cause if isinstance(cause, Exception) and getattr(cause, "status", None) != 404 else error
