"""The samples that a person has struck out: a file of names beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from skinfw.errors import DataError
from skinfw.jsonfile import replacing

STRUCK_OUT_FILE = "struck_out.txt"
"""Lies in the folder that the samples' names are relative to: one name a line."""


def struck_out(root: Path) -> set[str]:
    """Return the names of the samples that are not to be used; empty where there is no such file.

    Args:
        root: the folder that names are relative to.

    Raises:
        DataError: the file cannot be read.
    """
    path = root / STRUCK_OUT_FILE
    try:
        # the names are paths, which need not be valid UTF-8
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    return {name for line in text.split("\n") if (name := line.strip().removeprefix("\ufeff"))}


def write_struck_out(root: Path, names: Iterable[str]) -> None:
    """Write the names, sorted, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    text = "".join(f"{name}\n" for name in sorted(set(names)))
    with replacing(root / STRUCK_OUT_FILE) as temporary:
        temporary.write_bytes(text.encode("utf-8", "surrogateescape"))
