"""``skinfw convert``: the report's dictionary to a spec."""

from __future__ import annotations

import json
from pathlib import Path

import click

from skinfw.specs.report_dictionary import convert_report, read_report
from skinfw.specs.spec import parse_spec
from skinfw.system.json_file import read_text


@click.command(name="convert", short_help="Convert a dictionary of the report into a spec.")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the run. Default: the last part of path_results.")
def command(report: Path, name: str | None) -> None:
    """Print the spec for REPORT, a dictionary with the report's field names.

    REPORT is JSON, or Python as the report prints it. The report gives no weights for its losses, so the
    spec has pix2pix's: 100 for L1 and 1 for the adversarial loss.
    """
    source = str(report)
    spec = convert_report(read_report(read_text(report), source), source=source, name=name)
    checked = parse_spec(spec, source=f"{source}, converted")
    click.echo(f"Note: the run is called {checked.name!r}, its folder is runs/{checked.name}", err=True)
    click.echo(f"Note: {spec['data']['dataset']['root']} is relative to the spec's folder", err=True)
    click.echo(json.dumps(spec, indent=2, ensure_ascii=False))
