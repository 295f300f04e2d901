"""Fills in what follows from the code in the reference pages; a hook of mkdocs, run at every build."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel

from skinfw.ablation.file import AblationSize, AblationSpec
from skinfw.cli import COMMANDS, main
from skinfw.cli.show import type_facts as field_facts
from skinfw.components.direction import BETTER
from skinfw.components.manifest import Entry
from skinfw.components.reference import ComponentSpec
from skinfw.components.registry import KINDS, installed
from skinfw.errors import RegistryError
from skinfw.models.embedded import embedded_models
from skinfw.specs.data_spec import DataSpec
from skinfw.specs.segmentation_spec import (
    SegmentationData,
    SegmentationSpec,
    SegmentationTraining,
)
from skinfw.specs.spec import Spec
from skinfw.specs.training_spec import TrainingSpec

_GENERATED = re.compile(r"<!-- generated: (\w+) -->\n.*?<!-- end -->", re.DOTALL)
"""What a page holds in its place, for readers of the checkout: how to print the same."""


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put what follows from the code into its place in a page."""
    return _GENERATED.sub(lambda found: PARTS[found[1]](), markdown)


def spec_text() -> str:
    """Return the fields of a spec of inpainting."""
    parts = (("The spec", "", Spec), ("`data`", "data.", DataSpec), ("`training`", "training.", TrainingSpec))
    return models_text(parts)


def segmentation_text() -> str:
    """Return the fields of a spec of segmentation."""
    return models_text(SEGMENTATION_PARTS)


SEGMENTATION_PARTS = (
    ("The spec", "", SegmentationSpec),
    ("`data`", "data.", SegmentationData),
    ("`training`", "training.", SegmentationTraining),
)
"""The models of a segmentation spec, with title and path."""


def models_text(parts: Sequence[tuple[str, str, type[BaseModel]]]) -> str:
    """Return a table for each model; fields that have a table of their own are left out.

    Args:
        parts: title, path and model of each table.
    """
    nested = {path.rstrip(".") for _, path, _ in parts}
    sections = []
    for title, path, model in parts:
        schema = model.model_json_schema()
        definitions = schema.pop("$defs", {})
        rejected = set() if path else nested
        schema["properties"] = {
            key: each for key, each in schema["properties"].items() if key not in rejected
        }
        sections.append(f"## {title}\n\n{schema['description']}\n\n{table(schema, definitions, model, path)}")
    return "\n\n".join(sections)


def ablation_text() -> str:
    """Return the ablation file's fields."""
    sections = []
    for title, path, model in (("The file", "", AblationSpec), ("`sizes`", "sizes.NAME.", AblationSize)):
        schema = model.model_json_schema()
        definitions = schema.pop("$defs", {})
        text = table(schema, definitions, model, path)
        sections.append(f"## {title}\n\n{schema['description']}\n\n{text}")
    return "\n\n".join(sections)


def components_text() -> str:
    """Return all components."""
    sections = []
    for kind in KINDS:
        plural = kind.replace("_", " ").capitalize() + ("es" if kind.endswith("s") else "s")
        sections += [f"## {plural}", *(component(entry) for entry in entries(kind))]
    return "\n\n".join(sections)


def entries(kind: str) -> list[Entry]:
    """Return skinfw's own components of a kind, whatever plugins are installed where the pages are built."""
    registry = installed()
    found = [registry.entry(kind, name) for name in registry.names(kind)]
    return [entry for entry in found if entry.provider.startswith("skinfw ")]


def component(entry: Entry) -> str:
    """Return the section of one component."""
    model = installed().config_class(entry.kind, entry.name)
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    notes = [f"Needs the extra `{entry.extra}`."] if entry.extra else []
    notes += ["The default."] if entry.default_for not in NOT_IN_SPECS else []
    parts = [f"### `{entry.name}` {{ #{entry.kind}-{entry.name} }}", " ".join([entry.summary, *notes])]
    parts.append(" ".join(schema.get("description", "").split()))
    if schema.get("properties"):
        parts.append(table(schema, definitions, model))
    return "\n\n".join(parts)


def table(
    schema: dict[str, Any], definitions: dict[str, Any], model: type[BaseModel], prefix: str = ""
) -> str:
    """Return the table of an object's fields, those of nested objects by dotted path."""
    head = ["| field | value | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows(schema, definitions, computed_defaults(model), prefix)])


def rows(
    schema: dict[str, Any], definitions: dict[str, Any], computed: dict[str, str], prefix: str
) -> Iterator[str]:
    """Yield one row a field."""
    for name, field in schema["properties"].items():
        default = "required" if name in schema.get("required", []) else computed.get(name, "")
        if "default" in field:
            default = f"`{json.dumps(field['default'])}`"
        facts = "; ".join(field_facts(field, definitions))
        cells = [f"`{prefix}{name}`", facts, default, field.get("description", "")]
        yield "| " + " | ".join(map(escaped, cells)) + " |"
        for option in field.get("oneOf", field.get("anyOf", [field])):
            below = definitions.get(option.get("$ref", "").rpartition("/")[2], {})
            if "properties" in below:
                yield from rows(below, definitions, {}, f"{prefix}{name}.")


def escaped(cell: str) -> str:
    """Return a text in which Markdown sees nothing but code and text."""
    return cell if cell.startswith("`") else re.sub(r"([|*\[\]<>])", r"\\\1", cell)


def computed_defaults(model: type[BaseModel]) -> dict[str, str]:
    """Return the default components of the fields whose default is not in the schema."""
    found = {}
    for name, field in model.model_fields.items():
        default = (
            field.get_default(call_default_factory=True, validated_data={}) if field.default_factory else None
        )
        listed = default if isinstance(default, tuple | list) else [default]
        names = [f"`{each.name}`" for each in listed if isinstance(each, ComponentSpec)]
        if names:
            found[name] = ", ".join(names)
    return found


def commands_text() -> str:
    """Return all commands: what --help prints."""
    context = click.Context(main, info_name="skinfw")
    sections = [block(main.get_help(context))]
    for name in COMMANDS:
        command = main.get_command(context, name)
        if command is not None:
            usage = click.Context(command, parent=context, info_name=name, terminal_width=100)
            sections.append(f"### `skinfw {name}`\n\n{block(command.get_help(usage))}")
    return "\n\n".join(sections)


def block(text: str) -> str:
    """Return a text as a code block."""
    return f"```text\n{text}\n```"


def metrics_table() -> str:
    """Return the table of the metrics with unit and direction."""
    lines = ["| metric | unit | better is | what it is |", "|---|---|---|---|"]
    for entry in entries("metric"):
        try:
            metric = installed().component_class("metric", entry.name)
        except RegistryError:  # its extra is not installed where the pages are built
            lines.append(f"| `{entry.name}` | | | {escaped(entry.summary)} |")
        else:
            unit, better = metric.unit, BETTER[metric.direction].removesuffix(" is better")
            lines.append(f"| `{entry.name}` | {unit} | {better} | {escaped(entry.summary)} |")
    return "\n".join(lines)


def cards_text() -> str:
    """Return the cards of the models in the package."""
    cards = [model.card.read_text(encoding="utf-8") for model in embedded_models().values()]
    return "\n\n".join(map(lowered, cards)) or "This installation contains no models."


def lowered(text: str, levels: int = 2) -> str:
    """Return Markdown in which all headings are some levels lower; code stays as it is."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE)
    for place in range(0, len(parts), 2):
        parts[place] = re.sub(r"^(#+ )", rf"{'#' * levels}\1", parts[place], flags=re.MULTILINE)
    return "".join(parts)


NOT_IN_SPECS = ("", "sample_folders", "photos_without_label_maps", "photos_without_poses")
"""What a component may be the default for although a spec without it does not have it."""

PARTS: dict[str, Callable[[], str]] = {
    "spec": spec_text,
    "segmentation": segmentation_text,
    "ablation": ablation_text,
    "components": components_text,
    "commands": commands_text,
    "metrics": metrics_table,
    "models": cards_text,
}
"""What a page may name as ``<!-- generated: NAME -->``."""
