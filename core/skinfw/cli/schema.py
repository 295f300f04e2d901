"""``skinfw schema``: the JSON Schema of specs and of ablation files."""

from __future__ import annotations

import json
from typing import Literal

import click

from skinfw.ablation.file import ablation_schema
from skinfw.schema import spec_schema


@click.command(name="schema", short_help="Print the JSON Schema of specs.")
@click.argument("what", type=click.Choice(["spec", "ablation"]), default="spec", metavar="[spec|ablation]")
def command(what: Literal["spec", "ablation"]) -> None:
    """Print the JSON Schema of specs, with every installed component, or of ablation files.

    It is for editors and other tools.
    """
    schema = spec_schema() if what == "spec" else ablation_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
