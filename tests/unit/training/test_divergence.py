"""Training that diverges ends with an error: nothing that is not finite is saved, measured or shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from skinfw import Pipeline
from skinfw.errors import NotFiniteError, TrainingError
from skinfw.inference.generate import generate_folder
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import read_checkpoint, save_checkpoint
from skinfw.runs.folder import Run
from skinfw.tasks.evaluate_run import evaluate_run
from skinfw.training.finite import not_finite
from skinfw.training.optimized import OptimizedModule

MakeSpec = Callable[..., dict[str, Any]]


def l1_spec(tiny_spec: MakeSpec, **training: Any) -> dict[str, Any]:
    spec = tiny_spec(losses=["l1"], baselines=[])
    spec.pop("discriminator")
    spec["training"] |= {"epochs": None, "steps": 1, **training}
    return spec


def all_finite(run: Run, which: str = "last") -> bool:
    return not not_finite(read_checkpoint(run.checkpoint(which)).tensors)


def test_one_step_at_an_absurd_rate_is_an_error(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    pipeline = Pipeline(l1_spec(tiny_spec, generator_lr=1e15), output=tmp_path / "run")
    with pytest.raises(TrainingError, match=r"after step 1 .*holds the weights of this very step"):
        pipeline.fit()
    assert not pipeline.run.checkpoint("best").exists()
    assert not pipeline.run.metrics_path.exists()


def test_without_validation_the_test_is_not_measured(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = l1_spec(tiny_spec, generator_lr=1e15)
    spec["data"]["validation_fraction"] = 0
    pipeline = Pipeline(spec, output=tmp_path / "run")
    with pytest.raises(NotFiniteError, match="generator's image of the sample"):
        pipeline.fit()
    assert not pipeline.run.metrics_path.exists()


@pytest.mark.parametrize(
    ("network", "what", "step"),
    [
        *(("generator", "gradient", step) for step in (2, 3)),
        *(("generator", "state of the optimizer", step) for step in (2, 3)),
        *(("generator", "buffer", step) for step in (2, 3)),
        ("discriminator", "state of the optimizer", 2),
        ("discriminator", "gradient", 3),
    ],
)
def test_what_is_not_finite_is_not_saved(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, network: str, what: str, step: int
) -> None:
    """At step 2 of 3 the next step or checkpoint finds it, at step 3 only the last checkpoint."""
    calls = 0
    real = OptimizedModule.descend

    def poisoned(part: OptimizedModule[Any]) -> None:
        nonlocal calls
        if part.name != network:
            real(part)
            return
        calls += 1
        parameter = next(part.network.parameters())
        if calls == step and what == "gradient":
            assert parameter.grad is not None
            parameter.grad.fill_(float("nan"))
        real(part)
        if calls == step and what == "buffer":
            next(each for each in part.network.buffers() if each.is_floating_point()).fill_(float("inf"))
        if calls == step and what == "state of the optimizer":
            part.optimizer.state[parameter]["exp_avg_sq"].fill_(float("inf"))

    monkeypatch.setattr(OptimizedModule, "descend", poisoned)
    spec = l1_spec(tiny_spec, steps=3, checkpoint_every=1)
    if network == "discriminator":
        spec |= {name: tiny_spec()[name] for name in ("discriminator", "losses")}
    pipeline = Pipeline(spec, output=tmp_path / "run")
    with pytest.raises(TrainingError, match=f"of step {step - 1}, and its weights are finite"):
        pipeline.fit()
    assert all_finite(pipeline.run)
    assert read_checkpoint(pipeline.run.checkpoint("last")).progress.step == step - 1


@pytest.mark.parametrize("ema", [None, 0.5])
def test_infinity_that_a_network_holds_on_purpose_is_no_divergence(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, ema: float | None
) -> None:
    real = OptimizedModule.__init__

    def with_mask(part: OptimizedModule[Any], name: str, network: Any, *rest: Any, **options: Any) -> None:
        network.register_buffer("mask", torch.tensor([0.0, float("-inf")]))
        real(part, name, network, *rest, **options)

    monkeypatch.setattr(OptimizedModule, "__init__", with_mask)
    monkeypatch.setattr("skinfw.tasks.train_run.evaluate_run", lambda *_, **__: SimpleNamespace(step=1))
    monkeypatch.setattr("skinfw.tasks.train_run.HookCaller.call", lambda *_, **__: None)
    run = Pipeline(l1_spec(tiny_spec, ema=ema), output=tmp_path / "run").fit().run
    assert "generator.mask" in read_checkpoint(run.checkpoint("last")).tensors


def test_a_parser_that_diverges_is_an_error(
    tmp_path: Path, write_labeled_photos: Callable[..., Any], segmentation_spec: MakeSpec
) -> None:
    write_labeled_photos(tmp_path / "photos", 24)
    spec = segmentation_spec(tmp_path / "photos")
    spec["training"] |= {"epochs": None, "steps": 1, "lr": 1e15}
    pipeline = Pipeline(spec, output=tmp_path / "run")
    with pytest.raises(TrainingError, match=r"after step 1.*not finite"):
        pipeline.fit()
    assert not pipeline.run.checkpoint("best").exists()


@pytest.fixture
def damaged(make_run: Callable[..., Run], tmp_path: Path) -> Run:
    """A run whose weights hold NaN."""
    run = make_run(tmp_path / "run", baselines=[])
    checkpoint = read_checkpoint(run.checkpoint("best"))
    tensors = {name: value * float("nan") if value.is_floating_point() else value
               for name, value in checkpoint.tensors.items()}  # fmt: skip
    save_checkpoint(
        run.checkpoint("best"), tensors, checkpoint.spec, Progress(3, 1, 0, checkpoint.progress.data)
    )
    return run


def test_a_damaged_checkpoint_is_neither_measured_nor_used(
    damaged: Run, tmp_path: Path, write_samples: Callable[..., Any]
) -> None:
    with pytest.raises(NotFiniteError, match="neither evaluated nor written"):
        evaluate_run(damaged)
    assert not damaged.metrics_path.exists()
    write_samples(tmp_path / "samples", ["one", "two"])
    with pytest.raises(NotFiniteError, match="the sample one"):
        generate_folder(damaged, tmp_path / "samples", tmp_path / "painted")
    assert not list((tmp_path / "painted").glob("**/*.png"))


def test_only_numbers_with_a_fraction_can_be_not_finite() -> None:
    tensors = {"a": torch.ones(3), "b": torch.tensor([1.0, float("nan")]), "c": torch.ones(2).long()}
    assert not_finite(tensors) == ["b"]
    assert not_finite({}) == []
