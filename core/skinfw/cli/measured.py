"""What the two benchmark commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from skinfw.components.reference import ComponentSpec, use
from skinfw.components.registry import installed
from skinfw.errors import SkinfwError, UserError, counted

if TYPE_CHECKING:
    from skinfw.evaluation.metric_tables import Table


class BenchmarkResults(Protocol):
    """The results of a component."""

    @property
    def unusable(self) -> dict[str, str]:
        """The reason for each photo that could not be measured."""

    def to_json(self) -> dict[str, Any]:
        """Return the results as JSON values."""


ResultsT = TypeVar("ResultsT", bound=BenchmarkResults)


def all_that_can_run(
    truth: ComponentSpec, measure: Callable[[Sequence[ComponentSpec]], dict[str, ResultsT]], option: str
) -> dict[str, ResultsT]:
    """Measure every component of the kind but the ground truth; report why others cannot run.

    Args:
        truth: the component that is the ground truth.
        measure: measures components.
        option: the command-line option that names a component, for messages.

    Raises:
        UserError: none can run.
    """
    results: dict[str, ResultsT] = {}
    for kind, name in installed().entries:
        if kind != truth.kind or name == truth.name:
            continue
        try:
            results |= measure([use(kind, name)])
        except SkinfwError as error:
            click.echo(f"skipping {name}: {error}", err=True)
    if not results:
        what = truth.kind.replace("_", " ")
        raise UserError(
            f"no {what} could be measured; name one with {option}, or another ground truth with --truth"
        )
    return results


def check_output(output: Path | None) -> None:
    """Reject an output file that cannot be written, before anything is measured.

    Raises:
        UserError: it is a folder.
    """
    if output is not None and output.is_dir():
        raise UserError(f"{output}: a folder; name the JSON file to write")


def report_results(
    results: Mapping[str, BenchmarkResults], table: Table, output: Path | None, *, title: str | None = None
) -> None:
    """Write all results to the file, if any, print a table, and report which photos could not be measured.

    Args:
        results: the results of each component.
        table: the table of them.
        output: the file, or None.
        title: the line above the table.
    """
    from skinfw.benchmark.labels import same_photos
    from skinfw.reporting.console import print_table
    from skinfw.system.json_file import write_json

    # the table may go to a pipe that is closed early: write the file first
    if output is not None:
        write_json(output, {name: each.to_json() for name, each in results.items()})
    print_table(table, title=title)
    for name, each in results.items():
        if each.unusable:
            path, reason = next(iter(each.unusable.items()))
            example = reason if path in reason else f"{path}: {reason}"
            click.echo(
                f"{name}: {counted(len(each.unusable), 'photo')} could not be measured; the first: {example}"
            )
    if len(results) > 1 and not same_photos(each.unusable for each in results.values()):
        click.echo("They were measured on different photos, so no best one is marked")
    if output is not None:
        click.echo(f"Results: {output}")
