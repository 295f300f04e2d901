"""The width of what commands print. Light: the standard library only."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

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
        width: maximum characters per line; the widest columns are wrapped to it, between words and not below
            `MIN_COLUMN`. If they are too wide even so, the last ones become one. None: not wrapped.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        widths = _narrowed(rows, widths, width - 2 * (len(widths) - 1))
        if sum(widths) + 2 * (len(widths) - 1) > width and len(widths) > 1:
            return aligned([(*row[:-2], "  ".join(filter(None, row[-2:]))) for row in rows], width)
    lines = []
    for row in rows:
        parts = [wrapped(cell, column, 0).splitlines() for cell, column in zip(row, widths, strict=True)]
        for cells in zip_longest(*parts, fillvalue=""):
            lines.append("  ".join(map(str.ljust, cells, widths)).rstrip())
    return lines


def _narrowed(rows: Sequence[tuple[str, ...]], widths: Sequence[int], total: int) -> list[int]:
    """Return the widths of columns, the widest ones narrowed until all together are as wide as the total."""
    found = list(widths)
    for column in sorted(range(len(found)), key=lambda each: -widths[each]):
        longest = max((len(word) for row in rows for word in row[column].split()), default=0)
        least = min(found[column], max(MIN_COLUMN, longest))
        found[column] = max(least, found[column] - max(0, sum(found) - total))
    return found
