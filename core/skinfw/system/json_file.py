"""JSON in and out: strict when reading, whole or not at all when writing."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skinfw.errors import RunError, SpecError, shortened, write_fault
from skinfw.system.leftovers import remove_leftovers, temporary_beside
from skinfw.system.regular_file import read_regular

MAX_BYTES = 64 * 2**20
"""Size of the largest file that is read, in bytes: Python holds its values in ten times as much memory."""

MAX_LEVELS = 100
"""Levels of nesting that are read; far fewer than Python's own limit, more than any spec needs."""


_MAX_DIGITS = 300
"""Digits of a whole number, at most: about as large as a float can be."""


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits; {_MAX_DIGITS} are allowed")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{shortened(digits, 40)} is larger than any number that a computer holds")
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
        raise ValueError(f"a text holds {half}, half of a character, which UTF-8 cannot say") from None


def read_text(path: Path) -> str:
    """Read a text file that a person wrote.

    Raises:
        SpecError: the file is missing, not a regular file, too large, not UTF-8, or cannot be read; the
            text says where.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        raise SpecError(str(path), ["no such file; check the path"]) from None
    except IsADirectoryError:
        raise SpecError(str(path), ["is a folder; give the file in it"]) from None
    except OSError as error:
        raise SpecError(str(path), [f"cannot be read: {error.strerror}"]) from None
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise SpecError(str(path), ["begins with a byte-order mark; save it as UTF-8 without one"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(
            str(path), [f"not a text file in UTF-8 (byte {error.start}); save it as UTF-8"]
        ) from None


def parse_json(text: str, *, file_names: bool = False) -> Any:
    """Read JSON strictly.

    Args:
        text: the JSON.
        file_names: whether texts may be file names that are not UTF-8, as Python reads and JSON escapes them.

    Raises:
        ValueError: no JSON (then a `json.JSONDecodeError`), NaN or infinity (1e999 too), a key twice in one
            object, a text that UTF-8 cannot say, a number of more than 300 digits, or more than 100 levels;
            the message says what.

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
    raise ValueError(f"nested too deeply; {MAX_LEVELS} levels are allowed")


def read_json(path: Path, *, file_names: bool = False) -> Any:
    """Read a JSON file that a person wrote.

    Args:
        path: the file.
        file_names: as for `parse_json`.

    Raises:
        SpecError: the file is missing, no UTF-8, no JSON, holds NaN, a key twice or half a character, or
            is nested too deeply; the text says where.
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
    """Give a path beside ``path`` to write to; it takes the place of ``path`` when all went well.

    Raises:
        RunError: the disk is full, or the place is not writable. The old file is left as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            mode = stat.S_IMODE(temporary.stat().st_mode)
            yield temporary
            temporary.chmod(mode)  # a library that made the file again may have kept it from others
            temporary.replace(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {write_fault(error)}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; see `replacing` for the errors.

    What killed processes left of the same file is removed. File names need not be UTF-8: what UTF-8 cannot
    say is written as its escape in JSON, U+DCE9 for instance as a backslash and ``udce9``.
    """
    with replacing(path) as temporary:
        remove_leftovers(path.parent, of=path.name)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all; see `replacing` for the errors."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
