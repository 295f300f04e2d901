"""Every ablation in examples/report/ is valid at every size, and runs at its smoke size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import skinfw
from skinfw.ablation.plan import make_plan
from skinfw.ablation.published import published_tables

FOLDER = Path(__file__).parents[2] / "examples" / "report"
FILES = sorted(FOLDER.glob("*.json"))
SIZES = ("smoke", "photos", "full")


def test_the_reports_tables_and_its_outlook_are_there() -> None:
    tables = {"inputs", "losses", "mask", "conditioning"}
    outlook = {"patch", "noise", "wgan", "generators", "augmentation", "protect", "tone"}
    assert {path.stem for path in FILES} == tables | outlook
    assert set(published_tables()) == tables


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_is_valid_at_every_size(
    path: Path, size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_DATA", str(tmp_path))
    plan = make_plan(path, size=size)
    assert plan.ablation.name == path.stem
    seeds = {"smoke": 1, "photos": 3, "full": 3}[size]
    assert len(plan.runs) == seeds * len(plan.variants)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_full_size_is_that_of_the_report(path: Path) -> None:
    for run in make_plan(path, size="full").runs:
        spec = run.spec
        assert spec.data.size == (512, 512)
        assert (spec.training.epochs, spec.training.batch_size) == (120, 32)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_smoke_runs_to_its_page(path: Path, inline_engine: Any, tmp_path: Path) -> None:
    # a few steps: that all variants train, are measured and shown is what counts
    tiny = {"training.epochs": None, "training.steps": 5, "baselines": []}
    result = skinfw.ablate(path, size="smoke", output=tmp_path / "out", overrides=tiny, engine=inline_engine)
    assert not result.failures, [run.reason for run in result.failures]
    page = result.page_path.read_text(encoding="utf-8")
    for variant in result.plan.variants:
        assert variant in page
