"""``skinfw show``: one component with its parameters, or a model's card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from skinfw.cli.kind import MODEL, Kind
from skinfw.cli.width import output_width, wrapped
from skinfw.components.config import ComponentConfig
from skinfw.components.manifest import Entry
from skinfw.components.origin import ORIGIN_KEY
from skinfw.components.reference import COMPONENT_KEY, ComponentSpec
from skinfw.components.registry import installed
from skinfw.specs.schema import component_schema

_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
    "minItems": "length at least {}",
    "maxItems": "length at most {}",
    "pattern": "matching {}",
}


@click.command(name="show", short_help="Show one component and its parameters.")
@click.argument("kind", type=Kind(), metavar="KIND")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the parameters as JSON Schema.")
def command(kind: str, name: str, as_json: bool) -> None:
    """Show the component NAME of a KIND: its provider, and its parameters with default, range and unit.

    With the kind model, show the card of a trained model in skinfw: data, results, limits, license.
    """
    if kind == MODEL:
        _show_model(name, as_json)
        return
    registry = installed()
    schema = component_schema(registry, kind, name)
    entry = registry.entry(kind, name)
    if as_json:
        click.echo(json.dumps({**entry.model_dump(), "parameters": schema}, indent=2, ensure_ascii=False))
        return
    width = output_width()
    for line in _head(entry, schema):
        click.echo(wrapped(line, width, 0))
    for line in _parameters(schema, schema["$defs"], _computed_defaults(registry.config_class(kind, name))):
        click.echo(wrapped(f"  {line}", width))


def _show_model(name: str, as_json: bool) -> None:
    from skinfw.models.embedded import find_model

    model = find_model(name)
    if as_json:
        click.echo(model.model_dump_json(indent=2))
        return
    click.echo(model.card.read_text(encoding="utf-8"), nl=False)


def _head(entry: Entry, schema: dict[str, Any]) -> Iterator[str]:
    from skinfw.models.embedded import default_model

    yield f"{entry.kind} {entry.name}: {entry.summary}"
    yield f"from {entry.provider}, {entry.target}"
    if entry.extra:
        yield f"needs the extra {entry.extra}"
    if entry.default_for and default_model(entry.default_for) is None:
        yield f"default for {entry.default_for}"
    if schema.get("description"):
        yield ""
        yield " ".join(schema["description"].split())
    yield ""
    yield "parameters:" if schema.get("properties") else "no parameters"


def _computed_defaults(config: type[ComponentConfig]) -> dict[str, str]:
    """Return the default components of fields whose default is not in the schema."""
    found = {}
    for name, field in config.model_fields.items():
        default = (
            field.get_default(call_default_factory=True, validated_data={}) if field.default_factory else None
        )
        if isinstance(default, ComponentSpec):
            found[name] = default.name
    return found


def _parameters(
    schema: dict[str, Any], definitions: dict[str, Any], computed: dict[str, str]
) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        facts = type_facts(field, definitions)
        if name in schema.get("required", []):
            facts.append("required")
        elif "default" in field or name in computed:
            facts.append(f"default {json.dumps(field.get('default', computed.get(name)))}")
        yield f"{name}  ({', '.join(facts)})"
        yield f"    {field.get('description', '')}"
        options = field.get("anyOf", field.get("oneOf", [field]))
        for origin in dict.fromkeys(each[ORIGIN_KEY] for each in (field, *options) if ORIGIN_KEY in each):
            yield f"    to get it: {origin}"
        for option in options:
            inner = option.get("items", option)
            if isinstance(inner, dict) and "$ref" in inner:
                for line in _parameters(_resolve(inner, definitions), definitions, {}):
                    yield f"    {line}"


def _resolve(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definitions[field["$ref"].rpartition("/")[2]]
    return found


def type_facts(field: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Return the type of a field of a JSON Schema, and its range.

    Args:
        field: the schema of the field.
        definitions: what its references point to.
    """
    options = field.get("anyOf", field.get("oneOf"))
    if options is not None:
        return [" or ".join(", ".join(type_facts(option, definitions)) for option in options)]
    if COMPONENT_KEY in field:
        return [f"a {field[COMPONENT_KEY]}"]
    if "$ref" in field:
        return type_facts(_resolve(field, definitions), definitions)
    if "const" in field or "enum" in field:
        choices = field.get("enum", [field.get("const")])
        return [("one of " if len(choices) > 1 else "") + ", ".join(map(json.dumps, choices))]
    if "prefixItems" in field:
        items = [", ".join(type_facts(item, definitions)) for item in field["prefixItems"]]
        return [f"list of {len(items)}: {'; '.join(items)}"]
    kind = "path" if field.get("format") == "path" else str(field.get("type", "anything"))
    if isinstance(field.get("items"), dict):
        kind = f"list of {', '.join(type_facts(field['items'], definitions))}"
    return [kind, *(text.format(field[key]) for key, text in _LIMITS.items() if key in field)]
