"""The JSON Schema of the whole spec, with every installed component. Light: no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from skinfw.components.kinds import KINDS
from skinfw.components.manifest import Entry
from skinfw.components.reference import COMPONENT_KEY
from skinfw.components.registry import Registry, installed
from skinfw.errors import RegistryError
from skinfw.specs.run_spec import RunSpec
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec


def component_schema(registry: Registry, kind: str, name: str) -> dict[str, Any]:
    """Return the JSON Schema of one component's parameters.

    Args:
        registry: where to look up the component.
        kind: the interface that it implements.
        name: its name in the registry.

    Returns:
        an object schema; nested definitions are in its ``$defs``, a nested component is
        ``{"x-component": kind}``.

    Raises:
        RegistryError: the component is unknown, or its configuration cannot be imported.
    """
    # two components may have nested models of the same name
    template = f"#/$defs/{kind}.{name}.{{model}}"
    schema = registry.config_class(kind, name).model_json_schema(ref_template=template)
    nested = schema.pop("$defs", {})
    return {**schema, "$defs": {f"{kind}.{name}.{key}": value for key, value in nested.items()}}


def spec_schema(registry: Registry | None = None) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a spec of inpainting.

    Args:
        registry: the components to include; the installed ones when None. A component whose configuration
            cannot be imported is skipped.
    """
    return _schema(Spec, "skinfw spec", registry or installed())


def segmentation_schema(registry: Registry | None = None) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a spec of segmentation; see `spec_schema`."""
    return _schema(SegmentationSpec, "skinfw segmentation spec", registry or installed())


def _schema(model: type[RunSpec], title: str, registry: Registry) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    for kind in KINDS:
        definitions[f"component.{kind}"] = _kind_schema(registry, kind, definitions)
    schema = _with_references(schema)
    schema["$defs"] = _reachable(schema)
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}


def _kind_schema(registry: Registry, kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    bare, variants = [], []
    for name in registry.names(kind):
        try:
            config = component_schema(registry, kind, name)
        except RegistryError:
            continue
        definitions.update(config.pop("$defs"))
        if not config.get("required"):
            bare.append(name)
        variants.append(_variant(registry.entry(kind, name), config))
    return {
        "description": f"{kind.replace('_', ' ')}: a bare name, or an object with type and parameters",
        "anyOf": [{"enum": bare}, *variants],
    }


def _variant(entry: Entry, config: dict[str, Any]) -> dict[str, Any]:
    named = {"type": {"const": entry.name, "description": entry.summary}}
    return {
        **config,
        "title": f"{entry.kind} {entry.name}",
        "description": entry.summary,
        "properties": {**named, **config.get("properties", {})},
        "required": ["type", *config.get("required", [])],
    }


def _with_references(value: Any) -> Any:
    """Replace every component slot by a reference to the installed components of its kind."""
    if isinstance(value, list):
        return [_with_references(item) for item in value]
    if not isinstance(value, dict):
        return value
    replaced = {key: _with_references(item) for key, item in value.items() if key != COMPONENT_KEY}
    kind = value.get(COMPONENT_KEY)
    return {"$ref": f"#/$defs/component.{kind}", **replaced} if kind else replaced


def _reachable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definitions that a spec can contain, in order; it may not contain every kind."""
    definitions: Mapping[str, Any] = schema["$defs"]
    found: set[str] = set()
    waiting = list(_names_in({key: value for key, value in schema.items() if key != "$defs"}))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _names_in(definitions[name])
    return {name: value for name, value in definitions.items() if name in found}


def _names_in(value: Any) -> Iterator[str]:
    """Yield the names of the definitions that a part of a schema refers to."""
    if isinstance(value, list):
        for item in value:
            yield from _names_in(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/$defs/")
        for item in value.values():
            yield from _names_in(item)


def schema_text(schema: Mapping[str, Any]) -> str:
    """Return a schema as JSON in few lines: one for each definition, and one for each field of a spec."""
    return _object(
        {
            key: _object(
                {name: json.dumps(each, ensure_ascii=False) for name, each in value.items()}, indent=1
            )
            if key in ("$defs", "properties")
            else json.dumps(value, ensure_ascii=False)
            for key, value in schema.items()
        },
        indent=0,
    )


def _object(members: Mapping[str, str], indent: int) -> str:
    """Return a JSON object with one line for each member, which is JSON already."""
    inner, outer = "  " * (indent + 1), "  " * indent
    lines = ",\n".join(f"{inner}{json.dumps(name)}: {text}" for name, text in members.items())
    return f"{{\n{lines}\n{outer}}}" if members else "{}"
