"""Photos in archives: what is in them, and taking it out safely.

Only plain files with harmless names are taken out, never links, and none larger than `MOST_BYTES`.
"""

from __future__ import annotations

import errno
import lzma
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from skinfw.data.image_formats import is_image_name
from skinfw.data.sample_writer import writing_failed
from skinfw.errors import DataError

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

MOST_BYTES = 256 * 2**20
"""Largest file that is taken out of an archive, in bytes."""

_HARMFUL = re.compile(r"[\x00-\x1f\\]|^[A-Za-z]:")
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    # zipfile's words for a password or an unknown way of packing, and what damaged headers lead to
    *(RuntimeError, ValueError, struct.error),
)
_UNFIT_NAME = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL)


def safe_name(member: str) -> str | None:
    """Return the path of an archive's member, or None for one that is not taken out.

    Those are absolute paths, also of Windows, paths with ``..``, with backslashes or control characters, and
    what lies in hidden folders or is hidden itself.
    """
    parts = PurePosixPath(member).parts
    harmful = not parts or member.startswith("/") or _HARMFUL.search(member)
    if harmful or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return None
    return "/".join(parts)


@dataclass(frozen=True)
class Member:
    """A plain file in an archive.

    Attributes:
        name: as the archive has it.
        size: bytes that it has outside.
    """

    name: str
    size: int

    @property
    def fault(self) -> str:
        """Why it is not taken out; nothing where it is."""
        too_large = f"{self.name}: {self.size:,} bytes are more than the {MOST_BYTES:,} that are taken out"
        return too_large if self.size > MOST_BYTES else ""


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive by its ending."""
    return path.name.lower().endswith(ZIP_SUFFIXES + TAR_SUFFIXES)


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip by its ending."""
    return path.name.lower().endswith(ZIP_SUFFIXES)


def list_archive(archive: Path) -> dict[str, Member]:
    """Return the plain files in an archive by their safe paths.

    Raises:
        DataError: it cannot be read.
    """
    with _reading(archive):
        if is_zip(archive):
            with zipfile.ZipFile(archive) as opened:
                return _zip_members(opened)
        with tarfile.open(archive) as tar:
            return _safe([Member(info.name, info.size) for info in tar if info.isfile()])


def _zip_members(opened: zipfile.ZipFile) -> dict[str, Member]:
    plain = (info for info in opened.infolist() if not info.is_dir() and not _is_link(info))
    return _safe([Member(info.filename, info.file_size) for info in plain])


def _is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def _safe(members: list[Member]) -> dict[str, Member]:
    named = {safe_name(member.name): member for member in members}
    return {name: member for name, member in named.items() if name is not None}


class ZipFiles:
    """Takes files out of a zip when they are needed.

    Args:
        archive: the zip.
        folder: where its files go, under their safe paths.

    Raises:
        DataError: it cannot be read.
    """

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        with _reading(archive):
            self._zip = zipfile.ZipFile(archive)
            self._members = {folder / name: member for name, member in _zip_members(self._zip).items()}

    def take(self, path: Path) -> None:
        """Write one file; one that is there already, or is not in the zip, is left as it is.

        Raises:
            DataError: it is damaged, encrypted or too large.
            RunError: it cannot be written.
        """
        member = self._members.get(path)
        if member is None or path.exists():
            return
        if member.fault:
            raise DataError(f"{self.archive}: {member.fault}")
        with _reading(self.archive, member.name):
            data = self._zip.read(member.name)
        _write(path, data)

    def take_notes(self) -> None:
        """Write all files that are no pictures, such as poses; those that cannot be read are left."""
        for path in self._members:
            if not is_image_name(path.name):
                with suppress(DataError):
                    self.take(path)


def unpack_tar(archive: Path, folder: Path) -> None:
    """Write all plain files of a tar under their safe paths; those that are too large are left.

    Raises:
        DataError: it is damaged.
        RunError: the disk is full, or the folder cannot be written.
    """
    with _reading(archive), tarfile.open(archive) as tar:
        for info in tar:
            name = safe_name(info.name)
            if name is None or not info.isfile() or Member(info.name, info.size).fault:
                continue
            stream = tar.extractfile(info)
            if stream is not None:
                _write(folder / name, stream.read())


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; two processes may write the same one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as temporary:
            try:
                temporary.write(data)
                temporary.flush()
                Path(temporary.name).replace(path)
            except OSError:
                Path(temporary.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        if error.errno not in _UNFIT_NAME:  # then there is no such file, and its photo says so
            raise writing_failed(path, error) from error


@contextmanager
def _reading(archive: Path, member: str = "") -> Iterator[None]:
    """Tell what is wrong with an archive in one sentence."""
    place = f"{archive}: {member}" if member else f"{archive}"
    try:
        yield
    except OSError as error:
        raise DataError(f"{place}: cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise DataError(f"{place}: cannot be read from the archive: {error}") from error
