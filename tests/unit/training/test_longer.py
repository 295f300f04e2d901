"""A run that is made longer is the run that was that long from the start."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from skinfw import Pipeline
from skinfw.errors import RunError
from skinfw.runs.checkpoints import read_checkpoint, save_checkpoint
from skinfw.runs.folder import Run
from skinfw.training.trainer import Trainer

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training alone is looked at: the test samples are not measured."""
    monkeypatch.setattr("skinfw.tasks.train_run.evaluate_run", lambda *_, **__: SimpleNamespace(step=0))


def require_same(one: Run, other: Run) -> None:
    first, second = (read_checkpoint(run.checkpoint("last")) for run in (one, other))
    assert first.progress == second.progress
    assert first.tensors.keys() == second.tensors.keys()
    different = [
        name for name, value in first.tensors.items() if not torch.equal(value, second.tensors[name])
    ]
    assert different == []


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("lengths", [(2, 9), (2, 5, 6, 9)])
def test_a_run_of_steps_made_longer(
    tmp_path: Path, tiny_spec: MakeSpec, accumulation: int, lengths: tuple[int, ...]
) -> None:
    """An epoch has 5 or 6 steps of one batch: the run ends within epochs and goes on within them."""

    def make(steps: int) -> dict[str, Any]:
        spec = tiny_spec(baselines=[])
        spec["training"] |= {"epochs": None, "steps": steps, "gradient_accumulation": accumulation}
        return spec

    whole = Pipeline(make(lengths[-1]), output=tmp_path / "whole").fit().run
    for index, steps in enumerate(lengths):
        parts = Pipeline(make(steps), output=tmp_path / "parts", resume=index > 0).fit().run
        assert read_checkpoint(parts.checkpoint("last")).progress.closed
    require_same(whole, parts)
    measured = [each["step"] for each in parts.read_log() if each["event"] == "evaluation"]
    assert set(lengths) <= set(measured)
    assert measured == sorted(set(measured))


def test_a_run_of_epochs_made_longer(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    def make(epochs: int) -> dict[str, Any]:
        spec = tiny_spec(baselines=[])
        spec["training"] |= {"epochs": epochs, "evaluate_every": 2}
        return spec

    whole = Pipeline(make(3), output=tmp_path / "whole").fit().run
    for epochs in (1, 3):
        parts = Pipeline(make(epochs), output=tmp_path / "parts", resume=epochs > 1).fit().run
    require_same(whole, parts)


def test_a_finished_run_of_steps_is_not_measured_again(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 2}
    Pipeline(spec, output=tmp_path / "run").fit()
    run = Pipeline(spec, output=tmp_path / "run", resume=True).fit().run
    assert [each["step"] for each in run.read_log() if each["event"] == "evaluation"] == [2]


def test_another_number_of_processes_is_refused(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 2}
    Pipeline(spec, output=tmp_path / "run").fit()
    real = Trainer.resume

    def resume(self: Trainer) -> None:
        monkeypatch.setattr(type(self.accelerator), "num_processes", 2)
        real(self)

    monkeypatch.setattr(Trainer, "resume", resume)
    with pytest.raises(RunError, match="the number of processes was 1 and is now 2"):
        Pipeline(spec, output=tmp_path / "run", resume=True).fit()


def test_a_run_ends_earlier_than_it_was_meant_to(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after 3 of 9 steps: 3 are enough from now on, and fewer are rejected."""

    def make(steps: int) -> dict[str, Any]:
        spec = tiny_spec(baselines=[])
        spec["training"] |= {"epochs": None, "steps": steps}
        return spec

    place = tmp_path / "run"
    for steps in (3, 9):  # the second one is stopped before its first step
        with monkeypatch.context() as patch:
            if steps == 9:
                patch.setattr(Trainer, "fit", lambda trainer: trainer._save("last"))
            Pipeline(make(steps), output=place, resume=steps == 9).fit()
    run = Pipeline(make(3), output=place, resume=True).fit().run
    progress = read_checkpoint(run.checkpoint("last")).progress
    assert (progress.step, progress.total_steps) == (3, 3)
    with pytest.raises(RunError, match=r"3 steps are already trained, but the spec has 2; set"):
        Pipeline(make(2), output=place, resume=True).fit()


@pytest.mark.parametrize("change", [{"batches": 99}, {"batches": 1}, {"epoch": 7}, {"step": 1}])
def test_a_place_that_no_run_reaches_is_refused(
    tmp_path: Path, tiny_spec: MakeSpec, change: dict[str, int]
) -> None:
    """Else training would go on with other samples, or measure for ever without a step."""
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 2}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    was = read_checkpoint(run.checkpoint("last"))
    progress = replace(was.progress, **change)
    save_checkpoint(was.path, was.tensors, was.spec, progress, best=was.about["best"])
    spec["training"]["steps"] = 3
    with pytest.raises(RunError, match="does not fit the batches of this run"):
        Pipeline(spec, output=tmp_path / "run", resume=True).fit()


def test_a_best_checkpoint_that_was_removed_is_chosen_again(
    tmp_path: Path, tiny_spec: MakeSpec, caplog: pytest.LogCaptureFixture
) -> None:
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 2}
    for _ in range(2):
        run = Pipeline(spec, output=tmp_path / "run", resume=True).fit().run
        run.checkpoint("best").unlink()
    run = Pipeline(spec, output=tmp_path / "run", resume=True).fit().run
    assert f"{run.checkpoint('best')}: is missing; choosing the best checkpoint again" in caplog.text
    assert read_checkpoint(run.checkpoint("best")).progress.step == 2


def test_a_copy_of_the_best_checkpoint_is_not_the_last(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    """It has no state of the optimizers: without it the run would not be the one that it was."""
    spec = tiny_spec(baselines=[], losses=["l1"])
    del spec["discriminator"]
    spec["training"] |= {"epochs": None, "steps": 2}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    shutil.copy(run.checkpoint("best"), run.checkpoint("last"))
    spec["training"]["steps"] = 3
    with pytest.raises(RunError, match="has no optimizer state; it may be a copy of the best checkpoint"):
        Pipeline(spec, output=tmp_path / "run", resume=True).fit()
