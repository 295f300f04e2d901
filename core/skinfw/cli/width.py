"""The width of what commands print. Light: the standard library only."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

MIN_COLUMN = 20
"""Minimum width of a wrapped column."""


def output_width() -> int | None:
    """Return the width of standard output: that in COLUMNS, or the terminal's; None in a file or pipe."""
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def wrapped(line: str, width: int | None, hanging: int = 2) -> str:
    """Return a line, wrapped between words to a width, with its own indentation.

    Args:
        line: the line.
        width: maximum characters per line; None: not wrapped.
        hanging: additional indentation of all lines but the first.
    """
    if width is None or len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")) + hanging)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def aligned(rows: Sequence[tuple[str, ...]], width: int | None = None) -> list[str]:
    """Return rows of text as lines with aligned columns, two spaces apart.

    Args:
        rows: the cells.
        width: maximum characters per line; the widest column is wrapped to it, but not below `MIN_COLUMN`.
            None: not wrapped.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    excess = 0 if width is None else sum(widths) + 2 * (len(widths) - 1) - width
    widest = widths.index(max(widths))
    if excess > 0:
        widths[widest] = max(MIN_COLUMN, widths[widest] - excess)
    lines = []
    for row in rows:
        parts = (
            textwrap.wrap(row[widest], widths[widest], break_on_hyphens=False)
            if excess > 0
            else [row[widest]]
        )
        for number, part in enumerate(parts or [""]):
            cells = [text if number == 0 else "" for text in row]
            cells[widest] = part
            lines.append("  ".join(map(str.ljust, cells, widths)).rstrip())
    return lines
