"""Every ablation in examples/ is valid at every size, says what the report says, and runs at its smallest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import skinfw
from skinfw.ablation.file import parse_ablation
from skinfw.ablation.plan import make_plan
from skinfw.ablation.published import published_tables
from skinfw.specs.report_dictionary import convert_report, read_report
from skinfw.specs.spec import parse_spec

ROOT = Path(__file__).parents[2]
ABLATIONS = sorted((ROOT / "examples" / "report").glob("*.json"))
CONFIGS = ROOT / "tests" / "data" / "report_configs"

REPORTED = {
    "inputs": {"one_input": "inputs_1", "two_inputs": "inputs_2", "three_inputs": "inputs_3"},
    "losses": {"l1": "losses_l1", "adversarial": "losses_adversarial", "l1_adversarial": "losses_both"},
    "mask": {"without_mask": "mask_without", "with_mask": "mask_with"},
    "conditioning": {
        "not_conditioned": "discriminator_unconditioned",
        "conditioned": "discriminator_conditioned",
    },
}
"""The report's dictionary (its annex 8.2) of each variant."""

OUTLOOK = ("patch", "noise", "wgan", "generators", "augmentation", "protect", "tone")


def test_the_reports_ablations_and_those_of_its_outlook_are_there() -> None:
    assert {path.stem for path in ABLATIONS} == {*REPORTED, *OUTLOOK}


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_is_valid_at_every_size(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_DATA", str(tmp_path))
    ablation = parse_ablation(json.loads(path.read_text(encoding="utf-8")))
    assert ablation.name == path.stem
    assert (ablation.size, set(ablation.sizes)) == ("smoke", {"smoke", "photos", "full"})
    assert ablation.question.endswith("?")
    for size in ablation.sizes:
        plan = make_plan(path, size=size)
        specs = [run.spec for run in plan.runs]
        assert len(plan.seeds) == (1 if size == "smoke" else 3)
        assert {spec.data.dataset.name for spec in specs} == {
            {"smoke": "mannequins", "photos": "photos", "full": "folder"}[size]
        }
        if size == "full":
            assert {spec.training.epochs for spec in specs} == {120}
            assert {spec.data.size for spec in specs} == {(512, 512)}
            assert {run.variant for run in plan.runs} == set(ablation.variants)


@pytest.mark.parametrize("name", REPORTED)
def test_full_size_is_what_the_report_ran(name: str) -> None:
    plan = make_plan(ROOT / "examples" / "report" / f"{name}.json", size="full")
    assert plan.variants == list(REPORTED[name]) == list(published_tables()[name].rows)
    assert plan.ablation.published == name
    for variant, config in REPORTED[name].items():
        text = (CONFIGS / f"{config}.txt").read_text(encoding="utf-8")
        reported = parse_spec(convert_report(read_report(text, config), source=config, name=config))
        assert comparable(plan.of(variant)[0].spec.to_json()) == comparable(reported.to_json()), variant


def comparable(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave away names, the place of the data, what is measured, and the validation samples."""
    data = {key: spec["data"][key] for key in ("size", "inputs", "test_fraction", "mask_margin")}
    networks = {key: spec[key] for key in ("generator", "discriminator", "losses")}
    # the report's samples have no mask of their own: without a margin it is the skin
    composite = "skin" if spec["composite"] == "mask" else spec["composite"]
    return {"data": data, **networks, "composite": composite, "training": spec["training"]}


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("people_drawn_once")
def test_smoke_size_runs_to_its_page(path: Path, tmp_path: Path, inline_engine: Any) -> None:
    # the values mean nothing here: a few steps show as much as an epoch
    shorter = {
        "training.epochs": None,
        "training.steps": 5 if path.stem == "wgan" else 2,  # its generator trains in every fifth
        "metrics": ["mse"],
        "data.validation_fraction": 0,
        "data.dataset.count": 12,
    }
    result = skinfw.ablate(path, output=tmp_path, engine=inline_engine, overrides=shorter)
    assert [run.reason for run in result.failures] == []
    assert {run.status for run in result.runs} == {"done"}
    assert result.warnings() == []
    page = result.page_path.read_text(encoding="utf-8")
    assert "These results prove nothing" in page and "Measured on DeepFashion by the report" not in page
    assert "Without images" not in page
