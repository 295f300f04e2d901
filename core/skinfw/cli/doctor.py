"""``skinfw doctor``: problems in a set of samples, or in the installation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from skinfw.doctor.config import DoctorConfig
    from skinfw.doctor.finding import DoctorReport

PAGE = "doctor.html"


@click.command(name="doctor", short_help="Find problems in a set of samples, or in the installation.")
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--installation", is_flag=True, help="Check the installation instead of DATA.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="The page of flagged samples. Default: doctor.html in DATA.",
)  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Also write JSON.")
@click.option(
    "--exclude", multiple=True, metavar="CHECK",
    help="Exclude the samples that this check flags, as inspect does; may be repeated. Of near-duplicates, "
    "the first is kept.",
)  # fmt: skip
@click.option("--test-fraction", type=float, help="The spec's test_fraction. Default: 0.2.")
@click.option("--validation-fraction", type=float, help="The spec's validation_fraction. Default: 0.1.")
@click.option("--num-workers", type=int, help="Processes. Default: one per core.")
@click.option(
    "--config", metavar="JSON",
    help='Other thresholds, for instance {"near_duplicate_distance": 4}.',
)  # fmt: skip
def command(
    data: Path | None,
    installation: bool,
    output: Path | None,
    json_file: Path | None,
    config: str | None,
    exclude: tuple[str, ...],
    **options: Any,
) -> None:
    """Check DATA, a folder of sample folders or a glob, for problems that would harm training.

    Writes a page with the flagged samples, worst first. The exit code is 0 without flagged samples, 1 with
    flagged samples, 2 when the command fails. Excluded samples are skipped.

    --installation checks versions, packages, plugins, accelerators, weights and folders instead, and says
    what to do about what is wrong. The exit code is 0 if skinfw works, otherwise 1.

    The documentation explains the checks and their thresholds on the page "Check a training set",
    docs/how-to/check-data.md.
    """
    from skinfw.errors import UserError, counted

    if installation:
        if data is not None or any((output, config, exclude, *options.values())):
            raise UserError("--installation takes no DATA and no option but --json")
        _check_installation(json_file)
        return
    if data is None:
        raise UserError("name DATA, the folder of the samples, or give --installation")
    settings = _config(config, options)

    from skinfw.data.excluded import exclude_samples
    from skinfw.data.person_id import person_id
    from skinfw.data.sample_search import find_samples
    from skinfw.doctor.examine import examine
    from skinfw.doctor.finding import check_names
    from skinfw.doctor.page import write_doctor_page
    from skinfw.preparation.config import NEAR_DUPLICATE
    from skinfw.preparation.duplicates import sample_groups
    from skinfw.system.bar import progress_bar
    from skinfw.system.json_file import write_json

    checks = check_names(exclude)
    base, names = find_samples(data.absolute())
    groups = sample_groups({name: base / name for name in names}, person_id, NEAR_DUPLICATE)
    with progress_bar("doctor") as progress:
        report = examine(base, names, settings, groups.__getitem__, progress)
    # the table may go to a pipe that is closed early: write the files first
    page = output or base / PAGE
    write_doctor_page(report, base, str(data), page)
    if json_file is not None:
        write_json(json_file, report.to_json())
    _print_report(report)
    click.echo(f"Page: {page}")
    if json_file is not None:
        click.echo(f"JSON: {json_file}")
    if checks:
        click.echo(f"Excluded: {counted(exclude_samples(base, report.of_checks(checks)), 'sample')}")
    if report.findings:
        raise SystemExit(1)


def _check_installation(json_file: Path | None) -> None:
    from skinfw.cli.width import output_width, wrapped
    from skinfw.doctor.installation import check_installation
    from skinfw.system.json_file import write_json

    found = check_installation()
    if json_file is not None:
        write_json(json_file, found.to_json())
    width = output_width()
    for line in found.lines():
        click.echo(wrapped(line, width, len("  warning  ") - 2))
    if not found.works:
        raise SystemExit(1)


def _config(text: str | None, options: dict[str, Any]) -> DoctorConfig:
    """Build the settings from the options."""
    from pydantic import ValidationError

    from skinfw.components.validation_errors import format_errors
    from skinfw.doctor.config import DoctorConfig
    from skinfw.errors import UserError
    from skinfw.system.json_file import parse_json

    try:
        given = {} if text is None else parse_json(text)
    except ValueError as error:
        raise UserError(f"--config: not valid JSON: {error}") from None
    if not isinstance(given, dict):
        raise UserError('--config: give a JSON object, for instance {"near_duplicate_distance": 4}')
    given |= {name: value for name, value in options.items() if value is not None}
    try:
        return DoctorConfig.model_validate(given)
    except ValidationError as error:
        raise UserError("; ".join(_named(line, options) for line in format_errors(error, given))) from None


def _named(error: str, options: dict[str, Any]) -> str:
    """Replace the JSON path at the start of an error by the option."""
    error = error.removeprefix("$.")
    name, _, text = error.partition(": ")
    return f"--{name.replace('_', '-')}: {text}" if name in options else f"--config: {error}"


def _print_report(report: DoctorReport) -> None:
    from rich.console import Console
    from rich.table import Table

    from skinfw.doctor.finding import MEANINGS
    from skinfw.errors import counted
    from skinfw.reporting.console import shown

    console = Console()
    flagged = len(report.flagged)
    console.print(f"{counted(report.samples, 'sample')}, {flagged} flagged", highlight=False)
    if not flagged:
        return
    table = Table("check", "samples", "fraction", "what is wrong")
    table.add_column("worst", overflow="fold")
    for check, count in report.counts().items():
        if count:
            worst = next(finding.samples[0] for finding in report.findings if finding.check == check)
            fraction = f"{count / report.samples:.1%}"
            table.add_row(check, str(count), fraction, MEANINGS[check], shown(worst))
    console.print(table)
