from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.optim.lr_scheduler import CosineAnnealingLR

from skinfw import Pipeline, hookimpl
from skinfw.errors import DataError, SpecError
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.specs.data_spec import DataSpec
from skinfw.training.optimized import OptimizedModule
from skinfw.training.pace import rate_factor
from skinfw_plugins.generators.pix2pix import Pix2PixGenerator

MakeSpec = Callable[..., dict[str, Any]]


def records(run: Run, event: str) -> list[dict[str, Any]]:
    return [record for record in run.read_log() if record["event"] == event]


def last_weights(run: Run) -> dict[str, torch.Tensor]:
    return read_checkpoint(run.checkpoint("last")).part("generator")


def test_constant_schedule_never_falls() -> None:
    assert [rate_factor("constant", done) for done in (0, 0.5, 0.99)] == [1, 1, 1]


def test_linear_schedule_falls_to_zero_over_the_second_half() -> None:
    assert [rate_factor("linear", done) for done in (0, 0.5, 0.75, 1)] == [1, 1, 0.5, 0]


def test_cosine_schedule_is_that_of_torch() -> None:
    steps = 40
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    reference = CosineAnnealingLR(optimizer, T_max=steps)
    for step in range(steps + 1):
        assert 0.5 * rate_factor("cosine", step / steps) == pytest.approx(
            reference.get_last_lr()[0], abs=1e-9
        )
        optimizer.step()
        reference.step()


def test_the_learning_rate_follows_the_cosine(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    real = OptimizedModule.descend

    def descend(part: OptimizedModule[Any]) -> None:
        rates.append(part.optimizer.param_groups[0]["lr"])
        real(part)

    monkeypatch.setattr(OptimizedModule, "descend", descend)
    spec = tiny_spec(losses=["l1"], baselines=[])
    spec.pop("discriminator")
    spec["training"] |= {"epochs": None, "steps": 4, "schedule": "cosine", "generator_lr": 2e-3}
    Pipeline(spec, output=tmp_path / "run").fit()
    assert rates == pytest.approx([2e-3, 1e-3 * (1 + 2**-0.5), 1e-3, 1e-3 * (1 - 2**-0.5)])


def test_training_lowers_the_loss(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(losses=["l1"], composite="none", baselines=[])
    spec.pop("discriminator")
    spec["training"] |= {"epochs": 5, "generator_lr": 5e-3, "evaluate_every": 5, "sample_every": 5}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    losses = [record["losses"]["l1"] for record in records(run, "step")]
    assert np.mean(losses[-6:]) < 0.6 * np.mean(losses[:6])


def test_epochs_and_steps_count_as_the_spec_says(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    run = Pipeline(tiny_spec(), output=tmp_path / "epochs").fit().run
    progress = read_checkpoint(run.checkpoint("last")).progress
    train = 20 - len(json.loads(run.metrics_path.read_text())["test"]["names"])
    assert progress.epoch == 2
    assert 0 < progress.step <= 2 * (train // 4)

    spec = tiny_spec()
    spec["training"] = {"steps": 3, "batch_size": 4, "device": "cpu"}
    run = Pipeline(spec, output=tmp_path / "steps").fit().run
    assert read_checkpoint(run.checkpoint("last")).progress.step == 3


def test_accumulation_takes_several_batches_to_a_step(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec()
    spec["training"] |= {"gradient_accumulation": 2, "epochs": 1}
    taken: list[int] = []

    class Counter:
        @hookimpl
        def step_ended(self, images: int) -> None:
            taken.append(images)

    run = Pipeline(spec, output=tmp_path / "run", hooks=[Counter()]).fit().run
    assert set(taken) == {8}
    assert read_checkpoint(run.checkpoint("last")).progress.step == len(taken)


def test_accumulated_batches_give_the_gradient_of_one_large_batch(
    tmp_path: Path, tiny_spec: MakeSpec
) -> None:
    """Without normalization, dropout and discriminator, two batches of 4 are one of 8."""

    def weights(batch_size: int, accumulation: int) -> dict[str, torch.Tensor]:
        spec = tiny_spec(
            generator={"type": "pix2pix", "base_channels": 4, "norm": "none"}, losses=["mse"], baselines=[]
        )
        spec.pop("discriminator")
        spec["training"] |= {
            "batch_size": batch_size, "gradient_accumulation": accumulation, "epochs": None, "steps": 1,
        }  # fmt: skip
        folder = tmp_path / f"{batch_size}x{accumulation}"
        return last_weights(Pipeline(spec, output=folder).fit().run)

    whole, halves = weights(8, 1), weights(4, 2)
    for name, value in whole.items():
        torch.testing.assert_close(halves[name], value, rtol=1e-3, atol=1e-5)


def test_bfloat16_trains_and_keeps_float32_weights(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec()
    spec["training"] |= {"precision": "bf16", "epochs": 1}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert all(
        value.dtype == torch.float32 for name, value in last_weights(run).items() if "num_batches" not in name
    )
    assert all(np.isfinite(list(record["losses"].values())).all() for record in records(run, "step"))


def test_the_generator_is_prepared_once_before_the_first_step(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_before: list[bool] = []

    def prepare(generator: Pix2PixGenerator, data: DataSpec) -> None:
        assert data.size == (32, 32)
        steps_before.append((tmp_path / "run" / "log.jsonl").exists())

    monkeypatch.setattr(Pix2PixGenerator, "prepare_training", prepare)
    spec = tiny_spec(baselines=[])
    for steps, resume in ((1, False), (2, True)):
        spec["training"] |= {"epochs": None, "steps": steps}
        Pipeline(spec, output=tmp_path / "run", resume=resume).fit()
    assert steps_before == [False]


def test_gradient_clipping_limits_the_step(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    def moved(limit: float | None) -> float:
        spec = tiny_spec(losses=[{"type": "mse", "weight": 100}], baselines=[])
        spec.pop("discriminator")
        # with betas of 0 and a gradient far below Adam's epsilon, a step is proportional to the gradient
        spec["training"] |= {
            "epochs": None, "steps": 1, "gradient_clip": limit, "betas": [0, 0], "generator_lr": 1e-3,
        }  # fmt: skip
        run = Pipeline(spec, output=tmp_path / str(limit)).fit().run
        spec["training"]["generator_lr"] = 1e-30
        start = Pipeline(spec, output=tmp_path / f"{limit}-start").fit().run
        before, after = last_weights(start), last_weights(run)
        return sum(
            float((after[name] - before[name]).abs().sum()) for name in before if "running" not in name
        )

    assert moved(1e-12) < 0.01 * moved(None)


def test_the_best_checkpoint_is_that_of_the_best_validation(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec()
    spec["training"]["epochs"] = 4
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    values = {record["step"]: record["values"]["skin/psnr"] for record in records(run, "evaluation")}
    assert len(values) == 4
    best = read_checkpoint(run.checkpoint("best"))
    assert best.progress.step == max(values, key=lambda step: values[step])
    assert best.about["best"]["value"] == max(values.values())


def test_without_validation_the_best_checkpoint_is_the_last(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec()
    spec["data"]["validation_fraction"] = 0
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert records(run, "evaluation") == []
    best = read_checkpoint(run.checkpoint("best")).part("generator")
    assert all(torch.equal(best[name], value) for name, value in last_weights(run).items())


def test_sample_grids_show_inputs_output_and_target(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    run = Pipeline(tiny_spec(), output=tmp_path / "run").fit().run
    with Image.open(run.samples_folder / "epoch_0002.png") as grid:
        width, height = grid.size
    assert width == 32 * (3 + 2)
    assert height % 32 == 0
    assert 32 <= height <= 6 * 32


def test_hooks_see_the_run_in_order(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    seen: list[str] = []

    class Watcher:
        @hookimpl
        def run_started(self, total_steps: int) -> None:
            seen.append(f"started {total_steps > 0}")

        @hookimpl
        def step_ended(self, losses: Mapping[str, float]) -> None:
            if seen[-1] != "steps":
                seen.append("steps")
            assert set(losses) == {"l1", "gan", "discriminator/gan"}

        @hookimpl
        def epoch_ended(self, epoch: int) -> None:
            seen.append(f"epoch {epoch}")

        @hookimpl
        def evaluated(self, evaluation: Any) -> None:
            seen.append(evaluation.split)

        @hookimpl
        def run_ended(self, run: Run) -> None:
            assert run.report_path.is_file()
            seen.append("ended")

    Pipeline(tiny_spec(), output=tmp_path / "run", hooks=[Watcher()]).fit()
    assert seen == [
        "started True", "steps", "epoch 1", "validation", "steps", "epoch 2", "validation", "test", "ended",
    ]  # fmt: skip


def test_a_failing_hook_is_named_once_and_does_not_lose_the_run(
    tmp_path: Path, tiny_spec: MakeSpec, caplog: pytest.LogCaptureFixture
) -> None:
    class Clumsy:
        @hookimpl
        def step_ended(self) -> None:
            raise ZeroDivisionError("clumsy")

    with caplog.at_level(logging.WARNING, logger="skinfw"):
        run = Pipeline(tiny_spec(), output=tmp_path / "run", hooks=[Clumsy()]).fit().run
    assert run.report_path.is_file()
    told = [record.message for record in caplog.records if "Clumsy" in record.message]
    assert len(told) == 1
    assert "step_ended: ZeroDivisionError: clumsy" in told[0]


def test_a_failed_run_tells_its_hooks(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    failures: list[BaseException] = []

    class Watcher:
        @hookimpl
        def run_failed(self, error: BaseException) -> None:
            failures.append(error)

    spec = tiny_spec()
    spec["training"]["batch_size"] = 1000
    with pytest.raises(DataError, match="too few for one step of 1000"):
        Pipeline(spec, output=tmp_path / "run", hooks=[Watcher()]).fit()
    assert [type(error) for error in failures] == [DataError]


def test_a_generator_with_nothing_to_train_is_refused(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(generator="opencv_inpaint", losses=["l1"])
    spec.pop("discriminator")
    with pytest.raises(SpecError, match="'opencv_inpaint' is not trainable"):
        Pipeline(spec, output=tmp_path / "run").fit()


def test_a_generator_without_its_inputs_is_refused(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(generator="mean_color", losses=["l1"])
    spec.pop("discriminator")
    with pytest.raises(SpecError, match="'mean_color' needs face"):
        Pipeline(spec, output=tmp_path / "run").fit()


def test_resuming_on_other_data_is_refused(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    Pipeline(tiny_spec(), output=tmp_path / "run").fit()
    path = tmp_path / "run" / "spec.json"
    other = tiny_spec()
    other["data"]["dataset"]["seed"] = 1
    stored = json.loads(path.read_text())
    stored["data"]["dataset"]["seed"] = 1
    path.write_text(json.dumps(stored))
    with pytest.raises(DataError, match="was trained on different data"):
        Pipeline(other, output=tmp_path / "run", resume=True).fit()


class Interrupter:
    """Presses Ctrl-C at one step, or when an epoch ends."""

    def __init__(self, step: int | None = None, epoch: int | None = None) -> None:
        self.at = (step, epoch)

    @hookimpl
    def step_ended(self, step: int) -> None:
        if step == self.at[0]:
            os.kill(os.getpid(), signal.SIGINT)

    @hookimpl
    def epoch_ended(self, epoch: int) -> None:
        if epoch == self.at[1]:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(
    scope="module",
    params=[{}, {"gradient_accumulation": 2, "ema": 0.9, "schedule": "cosine"}],
    ids=["plain", "accumulation, average, cosine"],
)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_spec: MakeSpec
) -> Run:
    """A run that nobody interrupted."""
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"checkpoint_every": 1, **request.param}
    return Pipeline(spec, output=tmp_path_factory.mktemp("whole") / "run").fit().run


@pytest.mark.parametrize("place", ["middle", "end of epoch", "last step", "last evaluation"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path: Path, whole: Run, place: str) -> None:
    spec = whole.spec
    steps = read_checkpoint(whole.checkpoint("last")).progress.step
    interrupter = {
        "middle": Interrupter(step=steps // 2 + 1),
        "end of epoch": Interrupter(step=steps // 2),
        "last step": Interrupter(step=steps),
        "last evaluation": Interrupter(epoch=2),
    }[place]
    parts = Pipeline(spec, output=tmp_path / "parts", hooks=[interrupter])
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        parts.fit()
    assert not parts.run.metrics_path.exists()
    run = Pipeline(spec, output=tmp_path / "parts", resume=True).fit().run
    for which in ("best", "last"):
        one, other = read_checkpoint(whole.checkpoint(which)), read_checkpoint(run.checkpoint(which))
        assert one.progress == other.progress
        assert one.about["best"] == other.about["best"]
        assert one.tensors.keys() == other.tensors.keys()
        assert all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())
    assert [(r["event"], r["step"]) for r in run.read_log()] == [
        (r["event"], r["step"]) for r in whole.read_log()
    ]


@pytest.mark.parametrize("first", [{"num_workers": 2}, {"num_workers": 0, "sample_cache": 0}], ids=str)
def test_how_samples_are_loaded_changes_nothing_even_on_resuming(
    tmp_path: Path, whole: Run, first: dict[str, int]
) -> None:
    spec, steps = whole.spec.to_json(), read_checkpoint(whole.checkpoint("last")).progress.step
    spec["data"] |= first
    parts = Pipeline(spec, output=tmp_path / "parts", hooks=[Interrupter(step=steps // 2 + 1)])
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        parts.fit()
    spec["data"] |= {"num_workers": 1, "sample_cache": 50}
    run = Pipeline(spec, output=tmp_path / "parts", resume=True).fit().run
    one, other = last_weights(whole), last_weights(run)
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_threads_are_given_back(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    before = torch.get_num_threads()
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"threads": before + 1, "epochs": None, "steps": 1}
    Pipeline(spec, output=tmp_path / "run").fit()
    assert torch.get_num_threads() == before


def test_tensorboard_shows_losses_values_and_sample_grids(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    run = Pipeline(tiny_spec(baselines=[]), output=tmp_path / "run").fit().run
    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"loss/l1", "loss/gan", "loss/discriminator/gan", "validation/skin/psnr", "test/skin/psnr"} <= set(
        tags["scalars"]
    )
    logged = {record["step"]: record["losses"]["l1"] for record in records(run, "step")}
    shown = {event.step: event.value for event in events.Scalars("loss/l1")}
    assert shown == pytest.approx(logged)
    assert [event.step for event in events.Images("samples")] == [
        record["step"] for record in records(run, "evaluation")
    ]
