import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from skinfw.components.manifest import MANIFEST
from skinfw.components.registry import KINDS, Registry, load_registry
from skinfw.specs.schema import component_schema, schema_text, segmentation_schema, spec_schema
from skinfw.specs.spec import parse_spec

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs" / "reference" / "spec.schema.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return spec_schema()


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    references = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    assert references
    assert {reference.removeprefix("#/$defs/") for reference in references} <= set(schema["$defs"])
    assert "x-component" not in text


def test_a_spec_and_its_filled_form_fit(
    validator: jsonschema.Draft202012Validator, tiny_spec: Callable[..., dict[str, Any]]
) -> None:
    validator.validate({"$schema": "spec.schema.json", **tiny_spec()})
    validator.validate(parse_spec(tiny_spec()).to_json())


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": -1},
        {"seed": "x"},
        {"sede": 1},
        {"generator": "pix3pix"},
        {"generator": {"type": "pix3pix"}},
        {"generator": {"type": "pix2pix", "base_chanels": 3}},
        {"generator": {"base_channels": 3}},
        {"generator": {"type": "pix2pix", "base_channels": 0}},
        {"losses": []},
        {"losses": ["fid"]},
        {"data": {"size": [64]}},
        {"data": {"size": [64, 64], "dataset": "folder"}},
        {"data": {"size": [64, 64], "dataset": {"type": "folder"}}},
        {"data": {"size": [64, 64], "dataset": {"type": "photos", "root": "x", "segmenter": "pix2pix"}}},
        {"training": {"epochs": 0}},
    ],
)
def test_what_is_no_spec_does_not_fit(
    validator: jsonschema.Draft202012Validator,
    tiny_spec: Callable[..., dict[str, Any]],
    fields: dict[str, Any],
) -> None:
    assert validator.is_valid(tiny_spec())
    assert not validator.is_valid(tiny_spec(**fields))


def test_every_installed_component_is_offered_where_it_can_be(schema: dict[str, Any]) -> None:
    registry = load_registry()
    both = {**segmentation_schema()["$defs"], **schema["$defs"]}
    assert "component.segmentation_network" not in schema["$defs"]
    assert "component.generator" not in segmentation_schema()["$defs"]
    for kind in KINDS:
        bare, *variants = both[f"component.{kind}"]["anyOf"]
        assert [variant["properties"]["type"]["const"] for variant in variants] == registry.names(kind)
        without_requirements = [
            variant["properties"]["type"]["const"] for variant in variants if variant["required"] == ["type"]
        ]
        assert bare["enum"] == without_requirements


def test_the_text_of_a_schema_has_a_line_for_each_definition(schema: dict[str, Any]) -> None:
    text = schema_text(schema)
    assert json.loads(text) == schema
    assert list(json.loads(text)) == list(schema)
    lines = [line for line in text.splitlines() if line.startswith('    "')]
    assert len(lines) == len(schema["$defs"]) + len(schema["properties"])


def test_a_component_that_cannot_be_imported_is_left_out() -> None:
    registry = Registry()
    row = '[[component]]\nkind = "loss"\nname = "{0}"\ntarget = "{1}:X"\nconfig = "{1}:L1Config"\n'
    row += 'summary = "A loss."\n'
    registry.add_manifest(row.format("broken", "no_such_module_here"), "broken 1")
    registry.add_manifest(row.format("whole", "skinfw_plugins.losses.config"), "whole 1")
    offered = spec_schema(registry)["$defs"]["component.loss"]["anyOf"]
    assert offered[0] == {"enum": ["whole"]}
    assert len(offered) == 2


def test_nested_models_of_one_name_do_not_mix() -> None:
    schema = component_schema(load_registry(), "dataset", "photos")
    assert "dataset.photos.PrepareConfig" in schema["$defs"]
    assert schema["properties"]["segmenter"]["x-component"] == "segmenter"


def example_specs() -> dict[Path, dict[str, Any]]:
    read = {
        path: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "examples").rglob("*.json"))
        if "plugin" not in path.parts  # its components are not in the published schema
    }
    return {path: value for path, value in read.items() if "generator" in value}


def test_every_example_points_at_the_published_schema_and_fits_it() -> None:
    published = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    found = example_specs()
    assert found
    for path, value in found.items():
        assert (path.parent / value.get("$schema", "")).resolve() == PUBLISHED, path
        errors = [f"{path}: {error.json_path}: {error.message}" for error in published.iter_errors(value)]
        assert not errors


@pytest.mark.parametrize("what", ["spec", "segmentation"])
def test_the_published_schema_is_up_to_date(what: str) -> None:
    registry = Registry()
    registry.add_manifest((ROOT / MANIFEST).read_text(encoding="utf-8"), "skinfw")
    published = json.loads(PUBLISHED.with_name(f"{what}.schema.json").read_text(encoding="utf-8"))
    made = spec_schema(registry) if what == "spec" else segmentation_schema(registry)
    assert published == made, (
        f"out of date; write it again: SKINFW_NO_PLUGINS=1 skinfw schema {what} > "
        f"docs/reference/{what}.schema.json"
    )
