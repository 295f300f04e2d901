"""The bill of materials, against CycloneDX's own schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from skinfw.licenses.ledger import Ledger
from skinfw.runs.folder import Run
from skinfw.runs.ledger import ledger_of
from skinfw.sharing.bom import bill_of_materials
from skinfw.sharing.results import SharedResults, shared_results
from skinfw.specs.spec import parse_spec


@pytest.fixture
def results(run: Run, tiny_spec: Callable[..., Any]) -> SharedResults:
    """The results, with the ledger of a run that also used the network of LPIPS."""
    ledger = ledger_of(parse_spec(tiny_spec(metrics=["psnr", "lpips"])), data_sha256="ab" * 32)
    return replace(shared_results(run), ledger=ledger)


def validator() -> Draft7Validator:
    """Return the validator of the schema that the library ships, with the two that it refers to."""
    folder = Path(str(cyclonedx.schema.__file__)).parent / "_res"
    schemas = {
        name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()]
    return Draft7Validator(schemas["bom-1.6"], registry=Registry().with_resources(resources))


def test_the_bill_fits_its_schema_and_holds_the_ledger(run: Run, results: SharedResults) -> None:
    made: dict[str, Any] = bill_of_materials(run.spec, results, "CC-BY-NC-4.0")
    errors = [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(made)]
    assert errors == []
    model = made["metadata"]["component"]
    assert (model["type"], model["name"]) == ("machine-learning-model", "tiny")
    assert model["hashes"] == [{"alg": "SHA-256", "content": results.record["checkpoint"]["sha256"]}]
    assert model["licenses"] == [{"expression": "CC-BY-NC-4.0"}]
    metrics = {
        each["type"]: each["value"]
        for each in model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    }
    assert float(metrics["skin PSNR"]) == results.evaluation.values["trained"]["skin/psnr"]
    parts = {each["name"]: each for each in made["components"]}
    assert set(parts) == {row.name for row in results.ledger.rows}
    alex = parts["alexnet-owt-7be5be79.pth"]
    assert alex["type"] == "machine-learning-model"
    assert alex["licenses"] == [{"expression": "LicenseRef-torchvision-pretrained"}]
    assert {"name": "skinfw:commercial-use", "value": "unknown"} in alex["properties"]
    assert parts["mannequins"]["type"] == "data"
    (depends,) = [each for each in made["dependencies"] if each["ref"] == "model"]
    assert len(depends["dependsOn"]) == len(results.ledger.rows)


def test_an_unknown_license_is_left_out(run: Run, results: SharedResults) -> None:
    unknown = results.ledger.rows[-1].model_copy(update={"license": None})
    made = bill_of_materials(run.spec, replace(results, ledger=Ledger(rows=(unknown,))), None)
    assert validator().is_valid(made)
    assert "licenses" not in made["components"][0] and "licenses" not in made["metadata"]["component"]
