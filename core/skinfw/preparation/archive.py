"""Photos in archives: listing and safe unpacking.

Only regular files are unpacked, and an archive's own information is not trusted: a file ends where its header
says, and `MAX_MEMBERS`, `MAX_BYTES` and `max_total` limit their number and size.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from skinfw.data.image_formats import is_image_name
from skinfw.data.sample_writer import writing_failed
from skinfw.errors import DataError
from skinfw.system.leftovers import temporary_beside
from skinfw.system.paths_below import composed, folded, name_error, path_below
from skinfw.system.regular_file import open_regular

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

MAX_MEMBERS = 1_000_000
"""Maximum number of archive members read."""

MAX_BYTES = 256 * 2**20
"""Maximum size of an unpacked file in bytes."""

MIN_TOTAL = 2**30
MAX_RATIO = 100
"""Limits for all files of an archive together, in bytes and as a multiple of the archive's size, whichever is
larger: photos and label maps are already compressed and grow at most a few times."""

_CHUNK = 2**16
_MAX_HEADER = 2**24
"""Maximum bytes of a tar header; Python reads it at once."""

_HARMFUL = re.compile(r"[\x00-\x1f]|^[A-Za-z]:")
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    # raised by zipfile for passwords, unknown compression and damaged headers
    *(RuntimeError, ValueError, struct.error, OverflowError, LookupError),
)
_UNFIT_NAME = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL)


@dataclass(frozen=True)
class Member:
    """A file in an archive that may be unpacked.

    Attributes:
        name: its path, relative and with forward slashes.
        size: uncompressed bytes according to its header.
        place: its index in a zip, the offset of its header in a tar.
    """

    name: str
    size: int
    place: int


@dataclass(frozen=True)
class Refused:
    """A member of an archive that is not unpacked.

    Attributes:
        name: its name in the archive.
        detail: why.
        hidden: whether it is just hidden, or added by macOS.
    """

    name: str
    detail: str
    hidden: bool = False


@dataclass(frozen=True)
class Contents:
    """The content of an archive: the files that may be unpacked, by name, and the others."""

    members: dict[str, Member]
    rejected: list[Refused]


class _LimitError(Exception):
    """An archive exceeds a limit."""


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive, by its extension."""
    return path.name.lower().endswith(ZIP_SUFFIXES + TAR_SUFFIXES)


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip, by its extension."""
    return path.name.lower().endswith(ZIP_SUFFIXES)


def max_total(archive: Path) -> int:
    """Return the maximum total bytes of an archive's files."""
    return max(MIN_TOTAL, MAX_RATIO * archive.stat().st_size)


def clean_name(member: str) -> str:
    """Return a member's name with forward slashes, in composed characters, without ``.`` and double slashes.

    Some programs for Windows write backslashes.
    """
    slashes = composed(member).replace("\\", "/")
    start = "/" if slashes.startswith("/") else ""
    return start + "/".join(part for part in slashes.split("/") if part not in ("", "."))


def _refusal(name: str) -> str:
    """Return why a file is not unpacked under a clean name; empty if it is."""
    if _HARMFUL.search(name):
        return "its name contains control characters, or begins with a drive"
    return name_error(name)


def is_hidden(name: str) -> bool:
    """Return whether a file or one of its folders is hidden or was added by macOS."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def list_archive(archive: Path) -> Contents:
    """Return the content of an archive without unpacking it.

    Raises:
        DataError: it cannot be read.
    """
    found: list[Member] = []
    rejected: list[Refused] = []
    with _reading(archive):
        members = _zip_members(archive) if is_zip(archive) else _tar_members(archive)
        try:
            for count, each in enumerate(members):
                if count >= MAX_MEMBERS:
                    raise _LimitError(f"more than {MAX_MEMBERS:,} members; the others are not read")
                (found if isinstance(each, Member) else rejected).append(each)  # type: ignore[arg-type]
        except _LimitError as limit:
            rejected.append(Refused(archive.name, str(limit)))
        return _chosen(found, rejected, max_total(archive))


def _zip_members(archive: Path) -> Iterator[Member | Refused]:
    with open_regular(archive) as file, zipfile.ZipFile(file) as opened:
        for place, info in enumerate(opened.infolist()):
            if not info.filename.endswith(("/", "\\")):
                yield _member(info.filename, info.file_size, place, _kind(info))


def _kind(info: zipfile.ZipInfo) -> str:
    """Return why a member of a zip is not unpacked regardless of its name; empty if it may be."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link, not a file"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile decompresses everything it has read of these at once, and 50 bytes of bzip2 may be 45 MB
        return "compressed with an unsupported method; use deflate"
    return ""


def _tar_members(archive: Path) -> Iterator[Member | Refused]:
    for info, _ in _tar_infos(archive):
        if not info.isdir():
            what = "a link" if info.islnk() or info.issym() else "a device or FIFO"
            kind = "" if info.isfile() else f"{what}, not a file"
            yield _member(info.name, info.size, info.offset, kind)


def _member(name: str, size: int, place: int, kind: str) -> Member | Refused:
    clean = clean_name(name)
    if kind:
        return Refused(name, kind)
    if detail := _refusal(clean):
        return Refused(name, detail)
    if is_hidden(clean):
        return Refused(name, "hidden", hidden=True)
    if size > MAX_BYTES:
        return Refused(name, f"its {size:,} bytes exceed the limit of {MAX_BYTES:,}")
    return Member(clean, size, place)


def _chosen(found: Iterable[Member], rejected: list[Refused], most: int) -> Contents:
    """Reject members that conflict with others or exceed the limit."""
    members: dict[str, Member] = {}
    taken: dict[str, Member] = {}
    for member in found:
        older = taken.pop(folded(member.name), None)
        if older is not None:
            del members[older.name]
            rejected.append(Refused(older.name, f"{member.name} follows in the archive under the same name"))
        members[member.name] = taken[folded(member.name)] = member
    folders = {folded(parent) for name in members for parent in _parents(name)}
    total = 0
    for name, member in list(members.items()):
        if folded(name) in folders:
            detail = "there is also a folder with this name"
        elif (total := total + member.size) > most:
            total -= member.size
            detail = f"with it, the files would exceed {most:,} bytes in total"
        else:
            continue
        del members[name]
        rejected.append(Refused(name, detail))
    return Contents(members, rejected)


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


class ZipFiles:
    """Unpacks the files of a zip one at a time.

    Args:
        archive: the zip.
        folder: where its files go.

    Raises:
        DataError: it cannot be read.
    """

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        self._folder = folder
        self._members = list_archive(archive).members
        with _reading(archive):
            self._zip = zipfile.ZipFile(open_regular(archive))

    def take(self, path: Path) -> None:
        """Write one file, unless it already exists or is not in the zip.

        Raises:
            DataError: it is damaged, encrypted, or larger than it says.
            RunError: it cannot be written.
        """
        name = path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else ""
        member = self._members.get(name)
        if member is None or path.exists():
            return
        with _reading(self.archive, name):
            info = self._zip.infolist()[member.place]
            with self._zip.open(info) as stream:
                _write(path_below(self._folder, name), _chunks(stream, member.size))

    def take_notes(self) -> dict[str, str]:
        """Write all files other than images, such as poses; return why some could not be written."""
        errors = {}
        for name in self._members:
            if not is_image_name(name):
                try:
                    self.take(self._folder / name)
                except DataError as error:
                    errors[name] = str(error)
        return errors


def unpack_tar(archive: Path, folder: Path) -> None:
    """Write the files of a tar that may be unpacked.

    Raises:
        DataError: it is damaged.
        RunError: the disk is full, or the folder cannot be written.
    """
    members = {member.place: member for member in list_archive(archive).members.values()}
    with _reading(archive):
        try:
            for info, tar in _tar_infos(archive):
                member = members.get(info.offset)
                stream = None if member is None else tar.extractfile(info)
                if member is not None and stream is not None:
                    _write(path_below(folder, member.name), _chunks(stream, member.size))
        except _LimitError:  # already reported when the archive was listed
            return


def _tar_infos(archive: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
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
            raise _LimitError(f"unpacks to more than {self._most:,} bytes; the rest is not read")
        place: int = self._stream.seek(position, whence)
        return place

    def tell(self) -> int:
        """Return the position."""
        place: int = self._stream.tell()
        return place


def _chunks(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield a file's bytes, whose number must match its header."""
    left = size
    while data := stream.read(min(_CHUNK, left + 1)):
        left -= len(data)
        if left < 0:
            break
        yield data
    if left:
        raise ValueError(f"it does not have the {size:,} bytes that its header says")


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file atomically; two processes may write the same one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            with temporary.open("wb") as file:
                file.writelines(_from_archive(chunks))
            temporary.replace(path)
    except OSError as error:
        if error.errno not in _UNFIT_NAME:  # then the file does not exist, and its photo reports it
            raise writing_failed(path, error) from error


def _from_archive(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Separate errors of the archive, which may also be OSErrors, from those of the disk being written."""
    try:
        yield from chunks
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error


@contextmanager
def _reading(archive: Path, member: str = "") -> Iterator[None]:
    """Raise a one-sentence error about an archive."""
    place = f"{archive}: {member}" if member else f"{archive}"
    try:
        yield
    except OSError as error:
        raise DataError(f"{place}: cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise DataError(f"{place}: cannot be read: {_damage(error)}") from error


def _damage(error: Exception) -> str:
    """Describe the problem of an archive or a member, and what to do."""
    text = str(error).rstrip(".")
    if isinstance(error, NotImplementedError):  # zipfile raises it for strong encryption and patched data
        return f"its compression is not supported ({text}); unpack it yourself and use the folder"
    if type(error) is RuntimeError:  # zipfile raises it for a missing password
        return "it is encrypted; unpack it yourself and use the folder"
    if text == "File is not a zip file":
        return "it is not a zip file, or an incomplete one; copy or download it again"
    return f"it is damaged ({text or type(error).__name__}); copy or download it again"
