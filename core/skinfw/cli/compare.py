"""``skinfw compare``: the metrics of several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from skinfw.evaluation.compare import Comparison


@click.command(name="compare", short_help="Compare the metrics of several runs.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the comparison to this file: .csv, .md or .json.",
)  # fmt: skip
def command(runs: tuple[Path, ...], output: Path | None) -> None:
    """Print the metrics of two or more run folders, and the fields in which their specs differ."""
    from skinfw.errors import UserError
    from skinfw.evaluation.compare import compare_runs
    from skinfw.models.hub import local_model
    from skinfw.reporting.comparison import check_suffix, write_comparison

    if len(runs) < 2:
        raise UserError(f"{runs[0]}: nothing to compare it with; name two or more runs")
    if output is not None:
        check_suffix(output)
    comparison = compare_runs([local_model(run) for run in runs])
    # the tables may go to a pipe that is closed early: write the file first
    if output is not None:
        write_comparison(comparison, output)
    _show(comparison)
    if output is not None:
        click.echo(f"Comparison: {output}")


def _show(comparison: Comparison) -> None:
    from skinfw.evaluation.metric_metadata import metadata_lines, versions_text
    from skinfw.reporting.console import print_table

    print_table(comparison.table())
    if comparison.summary():
        click.echo(comparison.summary())
    if comparison.differences():
        print_table(comparison.differences_table(), title="Where the specs differ")
        click.echo(f"Not shown: {comparison.folded_text()}; --output writes them too")
    else:
        click.echo("The specs are the same.")
    click.echo("How each value was measured:")
    for line in metadata_lines({run.label: run.evaluation for run in comparison.runs}):
        click.echo(f"  {line}")
    for note in comparison.masks_notes():
        click.echo(note)
    if comparison.versions():
        click.echo(f"Measured with {versions_text(comparison.versions())}")
    if comparison.warnings():
        click.echo("Warning: not ranked:", err=True)
        for warning in comparison.warnings():
            click.echo(f"  {warning}", err=True)
