"""Paths from untrusted names: always below the given folder."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path, PureWindowsPath

from skinfw.errors import DataError

LONGEST_PART = 255
"""Maximum bytes of a file or folder name on common file systems."""

_UNFIT_ON_WINDOWS = re.compile(r'[\x00-\x1f<>:"|?*\\]|[. ]$')


def name_error(name: str, windows: bool = os.name == "nt") -> str:
    """Return why a name cannot be used for writing; empty if it can.

    Args:
        name: a relative path with forward slashes.
        windows: whether to apply the rules of Windows too.

    Example:
        >>> name_error("anna/front")
        ''
        >>> name_error("anna/../../ben")
        "the path contains '..' as a folder or file"
    """
    if not name:
        return "the name is empty"
    if "\0" in name:
        return "the name contains a zero byte"
    if name.startswith("/") or (windows and PureWindowsPath(name).anchor):
        return "the path is absolute"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return f"the path contains {part!r} as a folder or file"
        if len(os.fsencode(part)) > LONGEST_PART:
            return f"a part of the path is longer than {LONGEST_PART} bytes"
        if windows and (_UNFIT_ON_WINDOWS.search(part) or PureWindowsPath(part).is_reserved()):
            return f"Windows does not allow the name {part!r}"
    return ""


def path_to_read(root: Path, name: str) -> Path:
    """Return the path below a folder for a name, for instance from a record; links are followed.

    Args:
        root: the folder that the user named.
        name: a relative path with forward slashes.

    Raises:
        DataError: the name is empty, absolute or leads out of the folder.
    """
    if error := name_error(name):
        raise DataError(f"{root}: cannot hold {name!r}: {error}")
    return root / name


def path_below(root: Path, name: str) -> Path:
    """Return the path below a folder for a name from a data set, an archive or a list.

    skinfw uses it for everything that it writes under such names.

    Args:
        root: the folder that the user named.
        name: a relative path with forward slashes.

    Raises:
        DataError: the name is empty, absolute or leads out of the folder, itself or through a link.
    """
    path = path_to_read(root, name)
    if leads_out(path, root):
        raise DataError(f"{path}: a link leads out of {root}; remove the link, or choose another folder")
    return path


def leads_out(path: Path, root: Path) -> bool:
    """Return whether a path, with links followed, is outside a folder; loops of links are outside."""
    try:
        return not path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a zero byte
        return True


def real_paths() -> Callable[[Path], str]:
    """Return a function that makes paths absolute, without ``..`` or links in their folders.

    It returns the same path for all spellings of one. If the file itself is a link, it is not followed: its
    name counts. Each folder is resolved once.
    """
    folder = cache(os.path.realpath)

    def real(path: Path) -> str:
        above, name = os.path.split(path)
        return os.path.join(folder(above), name)  # noqa: PTH118  # a Path takes several times as long

    return real


def composed(name: str) -> str:
    r"""Return a name in Unicode's composed form (NFC).

    macOS may store accented letters as two characters, so the same name has other bytes than elsewhere.

    Example:
        >>> len("e\u0301"), len(composed("e\u0301"))
        (2, 1)
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def on_disk(path: Path) -> Path:
    """Return the path as on disk, with composed or decomposed letters (NFC, NFD).

    A list, a label map and a photo may have been named on different systems. A missing path is unchanged.
    """
    if str(path).isascii() or os.path.exists(path):  # noqa: PTH110  # False for a path that is too long
        return path
    found = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        direct = found / part
        if not part.isascii() and not os.path.exists(direct):  # noqa: PTH110
            direct = found / _names(found).get(composed(part), part)
        found = direct
    return found if os.path.exists(found) else path  # noqa: PTH110


def in_either_case(path: Path) -> Path:
    """Return the path as `on_disk`, also if the suffix is there in the other case; unchanged if missing."""
    found = on_disk(path)
    if os.path.exists(found):  # noqa: PTH110  # False for a path that is too long
        return found
    other = on_disk(other_case(path))
    return other if os.path.exists(other) else found  # noqa: PTH110


def other_case(path: Path) -> Path:
    """Return the path with its suffix in the other case.

    Example:
        >>> other_case(Path("a.png")).name, other_case(Path("a.PNG")).name
        ('a.PNG', 'a.png')
    """
    return path.with_name(path.stem + path.suffix.swapcase())


def _names(folder: Path) -> Mapping[str, str]:
    """Return the names in a folder by their composed forms."""
    try:
        return _listed(folder, folder.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(64)
def _listed(folder: Path, changed: int) -> Mapping[str, str]:
    """Read a folder once per change: thousands of photos in it may each lack a label map and a pose."""
    del changed
    return {composed(path.name): path.name for path in sorted(folder.iterdir(), reverse=True)}


def without_suffix(name: str, suffixes: Sequence[str]) -> str:
    """Return a path without its file's suffix if that is one of ``suffixes``, in either case.

    Example:
        >>> without_suffix("anna/front.JPG", (".png", ".jpg"))
        'anna/front'
    """
    known = next((suffix for suffix in suffixes if name.lower().endswith(suffix)), "")
    return name.removesuffix(name[len(name) - len(known) :])


def folded(name: str) -> str:
    """Return a name as the file system compares it: Windows and macOS ignore case."""
    return composed(name).casefold() if sys.platform in ("win32", "darwin") else name
