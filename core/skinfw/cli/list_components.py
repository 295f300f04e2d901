"""``skinfw list``: the installed components, read from the manifests only."""

from __future__ import annotations

import json

import click

from skinfw.cli.kind import Kind
from skinfw.cli.width import aligned, output_width
from skinfw.components.manifest import Entry
from skinfw.components.registry import KINDS, installed

COLUMNS = ("kind", "name", "summary", "provider", "note")


@click.command(name="list", short_help="List the installed components.")
@click.argument("kind", required=False, type=Kind(), metavar="[KIND]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(kind: str | None, as_json: bool) -> None:
    """List the installed components, or those of one KIND.

    A component marked as default is used if a spec names none. No plugin is imported.
    """
    registry = installed()
    kinds = KINDS if kind is None else (kind,)
    entries = [registry.entry(each, name) for each in kinds for name in registry.names(each)]
    if as_json:
        click.echo(json.dumps([entry.model_dump() for entry in entries], indent=2))
        return
    rows = [(entry.kind, entry.name, entry.summary, entry.provider, _note(entry)) for entry in entries]
    for line in aligned([COLUMNS, *rows], output_width()):
        click.echo(line)


def _note(entry: Entry) -> str:
    notes = []
    if entry.default_for in (entry.kind, f"{entry.kind}s"):
        notes.append("default")
    elif entry.default_for:
        notes.append(f"default for {entry.default_for.replace('_', ' ')}")
    if entry.extra:
        notes.append(f"needs extra {entry.extra}")
    return ", ".join(notes)
