"""``skinfw schema``: the JSON Schema of specs, of segmentation specs and of ablation files."""

from __future__ import annotations

import click

from skinfw.ablation.file import ablation_schema
from skinfw.specs.schema import schema_text, segmentation_schema, spec_schema

SCHEMAS = {"spec": spec_schema, "segmentation": segmentation_schema, "ablation": ablation_schema}


@click.command(name="schema", short_help="Print the JSON Schema of specs.")
@click.argument("what", type=click.Choice(list(SCHEMAS)), default="spec", metavar=f"[{'|'.join(SCHEMAS)}]")
def command(what: str) -> None:
    """Print the JSON Schema of specs, with every installed component, or of ablation files.

    spec is for inpainting, segmentation for runs that train a segmenter. Editors and other tools use them.
    """
    click.echo(schema_text(SCHEMAS[what]()))
