"""What the two benchmark commands print and write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import click

from skinfw.jsonfile import write_json
from skinfw.reporting.console import print_table
from skinfw.reporting.figures import Table


class MeasuredFigures(Protocol):
    """The figures of one component."""

    @property
    def unusable(self) -> dict[str, str]:
        """Why some photos could not be measured, by the photo."""

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON holds them."""


def tell_figures(
    table: Table, figures: Mapping[str, MeasuredFigures], output: Path | None, title: str | None = None
) -> None:
    """Print a table and what could not be measured; write all figures as JSON where a file is named.

    Raises:
        RunError: the file cannot be written.
    """
    print_table(table, title)
    for name, each in figures.items():
        if each.unusable:
            path, reason = next(iter(each.unusable.items()))
            told = reason if path in reason else f"{path}: {reason}"
            click.echo(f"{name}: {len(each.unusable)} photos could not be measured, for instance {told}")
    if output is not None:
        write_json(output, {name: each.to_json() for name, each in figures.items()})
        click.echo(f"Figures: {output}")
