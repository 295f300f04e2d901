"""``skinfw list``: the installed components, read from the manifests only, and the models in the package."""

from __future__ import annotations

import json

import click

from skinfw.cli.kind import MODEL, Kind
from skinfw.cli.width import aligned, output_width
from skinfw.components.kinds import KINDS
from skinfw.components.manifest import Entry
from skinfw.components.registry import installed

COLUMNS = ("kind", "name", "summary", "provider", "note")
MODEL_COLUMNS = ("model", "summary", "images", "file", "license", "note")


@click.command(name="list", short_help="List the installed components.")
@click.argument("kind", required=False, type=Kind(), metavar="[KIND]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(kind: str | None, as_json: bool) -> None:
    """List the installed components, or those of one KIND; model lists the trained models in skinfw.

    A component marked as default is used if a spec names none. No plugin is imported.
    """
    if kind == MODEL:
        _list_models(as_json)
        return
    registry = installed()
    kinds = KINDS if kind is None else (kind,)
    entries = [registry.entry(each, name) for each in kinds for name in registry.names(each)]
    if as_json:
        click.echo(json.dumps([entry.model_dump() for entry in entries], indent=2))
        return
    rows = [(entry.kind, entry.name, entry.summary, entry.provider, _note(entry)) for entry in entries]
    for line in aligned([COLUMNS, *rows], output_width()):
        click.echo(line)


def _list_models(as_json: bool) -> None:
    from skinfw.models.embedded import HOW_TO_EMBED, embedded_models

    models = embedded_models().values()
    if as_json:
        click.echo(json.dumps([model.model_dump(mode="json") for model in models], indent=2))
        return
    if not models:
        click.echo(f"this installation of skinfw contains no models; {HOW_TO_EMBED}", err=True)
        return
    rows = [
        (
            model.reference,
            model.summary,
            f"{model.size[0]}x{model.size[1]}",
            f"{model.bytes / 1e6:.1f} MB",
            model.license,
            _default_note(model.default_for or ""),
        )
        for model in models
    ]
    for line in aligned([MODEL_COLUMNS, *rows], output_width()):
        click.echo(line)


def _note(entry: Entry) -> str:
    from skinfw.models.embedded import default_model

    notes = []
    if entry.default_for in (entry.kind, f"{entry.kind}s"):
        notes.append("default")
    elif entry.default_for and default_model(entry.default_for) is None:
        notes.append(_default_note(entry.default_for))
    if entry.extra:
        notes.append(f"needs extra {entry.extra}")
    return ", ".join(notes)


def _default_note(purpose: str) -> str:
    return f"default for {purpose.replace('_', ' ')}" if purpose else ""
