"""The samples that you excluded: a file of names next to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from skinfw.errors import DataError
from skinfw.system.json_file import replacing
from skinfw.system.paths_below import composed
from skinfw.system.regular_file import read_regular

EXCLUDED_FILE = "excluded.jsonl"
"""A file in the folder that the samples' names are relative to: one name per line, as a JSON string."""

MAX_BYTES = 64 * 2**20
"""Maximum file size in bytes: a million names."""


def excluded(root: Path) -> set[str]:
    """Return the names of the excluded samples; empty if the file does not exist.

    Args:
        root: the folder that names are relative to.

    Raises:
        DataError: the file cannot be read, or a line is not a JSON string; the message names the line.
    """
    path = root / EXCLUDED_FILE
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from error
    lines = enumerate(text.split("\n"), 1)
    return {_name(line, path, number) for number, line in lines if line.strip()}


def _name(line: str, path: Path, number: int) -> str:
    try:
        name = json.loads(line)
    except (ValueError, RecursionError):
        name = None
    if not isinstance(name, str):
        raise DataError(
            f'{path}: line {number}: not the name of a sample as a JSON string, such as "anna/front"'
        )
    return name


def excluded_among(names: Iterable[str], gone: Iterable[str]) -> set[str]:
    """Return the names that are excluded, ignoring differences of Unicode composition."""
    forms = {composed(name) for name in gone}
    return {name for name in names if composed(name) in forms}


def exclude_samples(root: Path, names: Iterable[str]) -> int:
    """Exclude more samples; return how many were not excluded before.

    Raises:
        DataError: the file cannot be read.
        RunError: it cannot be written.
    """
    before, wanted = excluded(root), set(names)
    new = wanted - excluded_among(wanted, before)
    if new:
        write_excluded(root, before | new)
    return len(new)


def write_excluded(root: Path, names: Iterable[str]) -> None:
    """Write the names, sorted, completely or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    # in ASCII: names are paths, which may not be valid UTF-8
    text = "".join(f"{json.dumps(name)}\n" for name in sorted(set(names)))
    with replacing(root / EXCLUDED_FILE) as temporary:
        temporary.write_text(text, encoding="ascii", newline="\n")
