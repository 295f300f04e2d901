"""Lists the photos in archives.

Only regular files are unpacked, and an archive's own information is not trusted: a file ends where its header
says, and `MAX_MEMBERS`, `MAX_BYTES` and `skinfw.preparation.tar_stream.max_total` limit their number and
size.
"""

from __future__ import annotations

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

from skinfw.errors import DataError
from skinfw.preparation.tar_stream import LimitError, max_total, tar_infos
from skinfw.system.paths_below import composed, folded, name_error
from skinfw.system.regular_file import open_regular

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

MAX_MEMBERS = 1_000_000
"""Maximum number of archive members read."""

MAX_BYTES = 256 * 2**20
"""Maximum size of an unpacked file in bytes."""

_HARMFUL = re.compile(r"[\x00-\x1f]|^[A-Za-z]:")
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    # raised by zipfile for passwords, unknown compression and damaged headers
    *(RuntimeError, ValueError, struct.error, OverflowError, LookupError),
)


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
class RejectedMember:
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
    rejected: list[RejectedMember]


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive, by its extension."""
    return path.name.lower().endswith(ZIP_SUFFIXES + TAR_SUFFIXES)


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip, by its extension."""
    return path.name.lower().endswith(ZIP_SUFFIXES)


def clean_name(member: str) -> str:
    """Return a member's name with forward slashes, in composed characters, without ``.`` and double slashes.

    Some programs for Windows write backslashes.
    """
    slashes = composed(member).replace("\\", "/")
    start = "/" if slashes.startswith("/") else ""
    return start + "/".join(part for part in slashes.split("/") if part not in ("", "."))


def _rejection(name: str) -> str:
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
    rejected: list[RejectedMember] = []
    with reading(archive):
        members = _zip_members(archive) if is_zip(archive) else _tar_members(archive)
        try:
            for count, each in enumerate(members):
                if count >= MAX_MEMBERS:
                    raise LimitError(f"more than {MAX_MEMBERS:,} members; the others are not read")
                (found if isinstance(each, Member) else rejected).append(each)  # type: ignore[arg-type]
        except LimitError as limit:
            rejected.append(RejectedMember(archive.name, str(limit)))
        return _chosen(found, rejected, max_total(archive))


def _zip_members(archive: Path) -> Iterator[Member | RejectedMember]:
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


def _tar_members(archive: Path) -> Iterator[Member | RejectedMember]:
    for info, _ in tar_infos(archive):
        if not info.isdir():
            what = "a link" if info.islnk() or info.issym() else "a device or FIFO"
            kind = "" if info.isfile() else f"{what}, not a file"
            yield _member(info.name, info.size, info.offset, kind)


def _member(name: str, size: int, place: int, kind: str) -> Member | RejectedMember:
    clean = clean_name(name)
    if kind:
        return RejectedMember(name, kind)
    if detail := _rejection(clean):
        return RejectedMember(name, detail)
    if is_hidden(clean):
        return RejectedMember(name, "hidden", hidden=True)
    if size > MAX_BYTES:
        return RejectedMember(name, f"its {size:,} bytes exceed the limit of {MAX_BYTES:,}")
    return Member(clean, size, place)


def _chosen(found: Iterable[Member], rejected: list[RejectedMember], most: int) -> Contents:
    """Reject members that conflict with others or exceed the limit."""
    members: dict[str, Member] = {}
    taken: dict[str, Member] = {}
    for member in found:
        older = taken.pop(folded(member.name), None)
        if older is not None:
            del members[older.name]
            detail = f"{member.name} follows in the archive under the same name"
            rejected.append(RejectedMember(older.name, detail))
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
        rejected.append(RejectedMember(name, detail))
    return Contents(members, rejected)


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


@contextmanager
def reading(archive: Path, member: str = "") -> Iterator[None]:
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
