"""Strict reading and atomic writing of JSON."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skinfw.errors import RunError, SpecError, shortened, write_error_text
from skinfw.system.leftovers import remove_leftovers, temporary_beside
from skinfw.system.regular_file import read_regular

MAX_BYTES = 64 * 2**20
"""Maximum file size in bytes: in memory, Python needs ten times as much for the values."""

MAX_LEVELS = 100
"""Maximum levels of nesting: far below Python's own limit, and more than any spec needs."""


_MAX_DIGITS = 300
"""Maximum digits of an integer: about as large as a float can be."""


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits):,} digits; at most {_MAX_DIGITS} are allowed")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{shortened(digits, 40)} is too large for a float")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON; use a finite number or null")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"duplicate key {key!r} in one object; remove one")
        seen[key] = value
    return seen


def _too_deep(value: Any, levels: int = MAX_LEVELS) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_too_deep(part, levels - 1) for part in parts)


def _reject_half_characters(value: Any, *, file_names: bool) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape" if file_names else "strict")
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise ValueError(f"a string contains {half}, a lone surrogate, which is not valid UTF-8") from None


def read_text(path: Path) -> str:
    """Read a text file that a person wrote.

    Raises:
        SpecError: the file is missing, not a regular file, too large, not UTF-8, or cannot be read; the
            message says where.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        raise SpecError(str(path), ["no such file; check the path"]) from None
    except IsADirectoryError:
        raise SpecError(str(path), ["is a folder; give a file"]) from None
    except OSError as error:
        raise SpecError(str(path), [f"cannot be read: {error.strerror}"]) from None
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise SpecError(str(path), ["begins with a byte-order mark; save it as UTF-8 without one"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(str(path), [f"not UTF-8 text (byte {error.start}); save it as UTF-8"]) from None


def parse_json(text: str, *, file_names: bool = False) -> Any:
    """Read JSON strictly.

    Args:
        text: the JSON.
        file_names: whether strings may be file names that are not UTF-8, as Python and JSON escape them.

    Raises:
        ValueError: not JSON (a `json.JSONDecodeError`), NaN or infinity (including 1e999), a duplicate key
            in an object, a string that is not valid UTF-8, a number of more than 300 digits, or more than 100
            levels; the message says what.

    Example:
        >>> parse_json('{"epochs": 1, "epochs": 2}')
        Traceback (most recent call last):
            ...
        ValueError: duplicate key 'epochs' in one object; remove one
    """
    try:
        value = json.loads(
            text,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_no_constant,
            object_pairs_hook=_no_duplicates,
        )
        if not _too_deep(value):
            _reject_half_characters(value, file_names=file_names)
            return value
    except RecursionError:
        pass
    raise ValueError(f"nested too deeply; at most {MAX_LEVELS} levels are allowed")


def read_json(path: Path, *, file_names: bool = False) -> Any:
    """Read a JSON file that a person wrote.

    Args:
        path: the file.
        file_names: as for `parse_json`.

    Raises:
        SpecError: the file is missing, not UTF-8 or not JSON, contains NaN, a duplicate key or a lone
            surrogate, or is nested too deeply; the message says where.
    """
    text = read_text(path)
    try:
        return parse_json(text, file_names=file_names)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SpecError(str(path), [f"not valid JSON at {place}: {error.msg}"]) from None
    except ValueError as error:
        raise SpecError(str(path), [str(error)]) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path next to ``path`` to write to; on success it replaces ``path``.

    Raises:
        RunError: the disk is full, or the path is not writable. The old file stays unchanged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            mode = stat.S_IMODE(temporary.stat().st_mode)
            yield temporary
            temporary.chmod(mode)  # a library that replaced the file may have made it unreadable for others
            temporary.replace(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {write_error_text(error)}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file completely or not at all; see `replacing` for the errors.

    Leftovers of killed processes for the same file are removed. Characters of file names that are not valid
    UTF-8 are written as JSON escapes, for instance U+DCE9 as a backslash and ``udce9``.
    """
    with replacing(path) as temporary:
        remove_leftovers(path.parent, of=path.name)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file completely or not at all; see `replacing` for the errors."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
