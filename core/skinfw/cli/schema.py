"""``skinfw schema``: the JSON Schema of the whole spec."""

from __future__ import annotations

import json

import click

from skinfw.schema import spec_schema


@click.command(name="schema", short_help="Print the JSON Schema of specs.")
def command() -> None:
    """Print the JSON Schema of specs, with every installed component, for editors and other tools."""
    click.echo(json.dumps(spec_schema(), indent=2, ensure_ascii=False))
