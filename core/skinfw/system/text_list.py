"""Reads lists in text files, as spreadsheets, editors and data sets write them."""

from __future__ import annotations

import codecs
from pathlib import Path

from skinfw.errors import DataError
from skinfw.system.regular_file import read_regular

MAX_BYTES = 256 * 2**20
"""Maximum size of a list in bytes."""

# UTF-32 first: its mark begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_list(path: Path) -> str:
    """Return the text of a list, with lines that end with line feeds only.

    Accepts UTF-8, and UTF-16 or UTF-32 with a byte-order mark. A byte-order mark is removed.

    Raises:
        DataError: the file cannot be read, is not a regular file, is too large, or has another encoding.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        place = error.start + len(mark)
        name = encoding.upper()
        raise DataError(f"{path}: byte {place} is not {name}; save the list as UTF-8") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{path}: line {line} contains a zero byte; save the list as UTF-8 text")
    # not splitlines: names may contain other characters at which it splits
    return text.replace("\r\n", "\n").replace("\r", "\n")


def numbered_lines(text: str) -> list[tuple[int, str]]:
    r"""Return the non-blank lines, stripped, with their numbers from 1.

    Example:
        >>> numbered_lines("anna/front\n\nben/front")
        [(1, 'anna/front'), (3, 'ben/front')]
    """
    lines = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line]
