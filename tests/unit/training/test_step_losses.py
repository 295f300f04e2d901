"""Losses stay on the device until they are logged or saved, and none that is not finite is missed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from skinfw import Pipeline, hookimpl
from skinfw.errors import TrainingError
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.training import pace, step_losses
from skinfw.training.step_losses import LossCheck, StepLosses
from skinfw.training.trainer import Trainer

MakeSpec = Callable[..., dict[str, Any]]

NAN = float("nan")


def losses(**values: float) -> StepLosses:
    return StepLosses(list(values), [torch.tensor(list(values.values()))])


def test_values_are_read_once_and_names_without_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Tensor] = []
    real = Tensor.tolist
    monkeypatch.setattr(Tensor, "tolist", lambda tensor: reads.append(tensor) or real(tensor))
    both = losses(l1=0.5, gan=2) | losses(judge=4)
    assert list(both) == ["l1", "gan", "judge"] and len(both) == 3 and "x" not in dict.fromkeys(both)
    assert not reads
    assert dict(both) == {"l1": 0.5, "gan": 2, "judge": 4}
    assert len(reads) == 1


@pytest.mark.parametrize("value", [NAN, float("inf"), float("-inf")])
def test_the_first_step_that_is_not_finite_is_named_with_its_loss(value: float) -> None:
    check = LossCheck()
    for step in (5, 6, 7, 8):
        check.add(step, losses(l1=0.5, gan=value if step == 7 else 1) | losses(judge=NAN if step > 7 else 0))
    with pytest.raises(TrainingError, match=rf"in step 7 the loss 'gan' became {value}.* good: 7\."):
        check.check(lambda step: f"The last good: {step}.")


def test_a_check_covers_each_step_once() -> None:
    check = LossCheck()
    check.check(str)
    check.add(1, losses(l1=1))
    check.check(str)
    check.add(2, losses(l1=NAN))
    with pytest.raises(TrainingError, match="in step 2"):
        check.check(str)
    check.check(str)


def long_spec(tiny_spec: MakeSpec, **training: Any) -> dict[str, Any]:
    """One epoch of ten steps."""
    spec = tiny_spec(baselines=[])
    spec["data"]["dataset"]["count"] = 64
    spec["training"] |= {"epochs": None, "steps": 10, **training}
    return spec


@pytest.mark.parametrize(
    ("bad", "found_after", "last"), [(2, 4, None), (4, 4, None), (5, 8, 4), (9, 10, 8), (10, 10, 8)]
)
def test_training_stops_before_a_bad_step_is_saved(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, bad: int, found_after: int,
    last: int | None,
) -> None:  # fmt: skip
    """The weights stay finite here, so that only the loss shows it."""
    monkeypatch.setattr(pace, "LOG_RECORDS", 1)
    taken: list[int] = []
    real = Trainer.__init__

    def watched(trainer: Trainer, *args: Any) -> None:
        real(trainer, *args)
        step = trainer.module.train_step

        def train_step(batches: Any, number: int) -> StepLosses:
            taken.append(number)
            return step(batches, number) | losses(odd=NAN if number == bad else 1)

        monkeypatch.setattr(trainer.module, "train_step", train_step)

    monkeypatch.setattr(Trainer, "__init__", watched)
    pipeline = Pipeline(long_spec(tiny_spec, checkpoint_every=4), output=tmp_path / "run")
    where = "No checkpoint has been written" if last is None else f"is of step {last}, and its weights are"
    with pytest.raises(TrainingError, match=f"in step {bad} the loss 'odd' became nan; .*{where}"):
        pipeline.fit()
    assert taken[-1] == found_after
    path = pipeline.run.checkpoint("last")
    assert (read_checkpoint(path).progress.step if path.exists() else None) == last
    assert not pipeline.run.checkpoint("best").exists()


def test_losses_are_checked_at_least_every_so_many_steps(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LOG_RECORDS", 1)
    monkeypatch.setattr(step_losses, "MAX_UNCHECKED", 3)
    checked: list[int] = []
    real = LossCheck.check

    def check(self: LossCheck, saved: Callable[[int], str]) -> None:
        checked.append(len(self._unchecked))
        real(self, saved)

    monkeypatch.setattr(LossCheck, "check", check)
    Pipeline(long_spec(tiny_spec), output=tmp_path / "run").fit()
    assert [count for count in checked if count] == [3, 3, 3, 1]


aten = torch.ops.aten

WAITING = (aten.nonzero.default, aten.masked_select.default, aten.equal.default, aten._unique2.default)


class Reads(TorchDispatchMode):
    """Notes where the CPU would wait for a GPU: for a number of a tensor, or for a shape that depends on one.

    Random integers are drawn on the CPU, so reading them waits for nothing.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.places: list[str] = []
        self.active = False
        for name in ("tolist", "numpy", "cpu", "new_tensor"):
            monkeypatch.setattr(Tensor, name, self._noting(getattr(Tensor, name)))

    def _noting(self, method: Any) -> Any:
        def call(tensor: Tensor, *args: Any, **options: Any) -> Any:
            self.note(tensor)
            return method(tensor, *args, **options)

        return call

    def note(self, tensor: Tensor) -> None:
        if self.active and tensor.is_floating_point():
            self.places.append("".join(traceback.format_stack(limit=12)))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is aten._local_scalar_dense.default:
            self.note(args[0])
        chosen = args[1] if func in (aten.index.Tensor, aten.index_put_.default) else ()
        by_mask = any(each is not None and each.dtype is torch.bool for each in chosen)
        if self.active and (by_mask or func in WAITING):
            self.places.append("".join(traceback.format_stack(limit=12)))
        return func(*args, **(kwargs or {}))


class Between:
    """Counts the reads between two logged steps."""

    def __init__(self, reads: Reads, look: bool) -> None:
        self.reads, self.look = reads, look

    @hookimpl
    def step_ended(self, step: int, losses: Mapping[str, float]) -> None:
        if step == 3:
            self.reads.__enter__()
            self.reads.active = True
        if step > 3 and self.look:
            assert sum(losses.values()) != 0
        if step == 7:
            self.reads.active = False
            self.reads.__exit__(None, None, None)


@pytest.mark.parametrize("look", [False, True])
@pytest.mark.parametrize("task", ["inpainting", "accumulation", "tone", "segmentation"])
def test_nothing_is_read_between_logged_steps(
    tmp_path: Path, tiny_spec: MakeSpec, segmentation_spec: MakeSpec,
    write_labeled_photos: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, task: str, look: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(pace, "LOG_RECORDS", 1)
    if task == "segmentation":
        write_labeled_photos(tmp_path / "photos", 24)
        spec = segmentation_spec(tmp_path / "photos")
        spec["training"] |= {"epochs": None, "steps": 8, "batch_size": 1}
    else:
        spec = long_spec(tiny_spec, gradient_clip=1.0, schedule="linear")
        spec["training"]["gradient_accumulation"] = 2 if task == "accumulation" else 1
        spec["data"]["dataset"]["count"] *= spec["training"]["gradient_accumulation"]
    if task == "tone":
        refiner = {"type": "pix2pix", "base_channels": 4, "condition": "tone", "dropout": 0.5}
        spec["generator"] = {"type": "two_stage", "coarse": "mean_color", "refiner": refiner}
        spec["composite"] = "mask"
        skin = [{"type": name, "region": "skin"} for name in ("psnr", "l1", "ssim")]
        spec["losses"] = [*skin, "tone_consistency", "color", "total_variation", "gan"]
        spec["data"]["inputs"] = ["apparel_head_foot", "line", "segmentation_skin", "face", "mask"]
    reads = Reads(monkeypatch)
    Pipeline(spec, output=tmp_path / "run", hooks=[Between(reads, look)]).fit()
    assert len(reads.places) == (4 if look else 0), reads.places[:1]
