"""The precision and the arithmetic that a run trains with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from skinfw import Pipeline, hookimpl
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import open_run, started_here
from skinfw.specs.run_spec import LoopSpec
from skinfw.tasks import train_run
from skinfw.training import accelerator
from skinfw.training.accelerator import make_accelerator, mixed_precision, training_environment

MakeSpec = Callable[..., dict[str, Any]]


def machine(monkeypatch: pytest.MonkeyPatch, device: str, major: int) -> None:
    """Pretend that this machine has a device, of a CUDA compute capability."""
    monkeypatch.setattr(
        accelerator, "pick_device", lambda wanted: torch.device("cpu" if wanted == "cpu" else device)
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    properties = type("Properties", (), {"major": major, "minor": 0})()
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda *_: properties)
    monkeypatch.setattr(torch.version, "hip", None)


@pytest.mark.parametrize(
    ("device", "major", "wanted", "expected"),
    [
        ("cuda", 9, "auto", "bf16"),
        ("cuda", 8, "auto", "bf16"),
        ("cuda", 7, "auto", "no"),  # would only emulate it
        ("mps", 0, "auto", "no"),
        ("cpu", 0, "auto", "no"),
        ("cuda", 9, "cpu", "no"),
    ],
)
def test_auto_is_bf16_only_where_the_device_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, device: str, major: int, wanted: Any, expected: str
) -> None:
    machine(monkeypatch, device, major)
    assert mixed_precision(LoopSpec(steps=1, precision="auto", device=wanted)) == expected
    for given in ("no", "bf16", "fp16"):
        assert mixed_precision(LoopSpec(steps=1, precision=given, device=wanted)) == given


def test_auto_on_a_cpu_is_float32_and_recorded(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    tensors, records = [], []
    for precision in ("auto", "no", "bf16"):
        spec = tiny_spec(baselines=[])
        spec["training"] |= {"epochs": None, "steps": 1, "precision": precision}
        run = Pipeline(spec, output=tmp_path / precision).fit().run
        assert run.spec.training.precision == precision
        tensors.append(read_checkpoint(run.checkpoint("last")).part("generator"))
        records.append(json.loads(run.environment_path.read_text(encoding="utf-8"))["training"])
    assert records == [
        {"device": "cpu", "precision": each, "tf32": False} for each in ("float32", "float32", "bf16")
    ]
    assert all(torch.equal(value, tensors[1][name]) for name, value in tensors[0].items())
    assert not all(torch.equal(value, tensors[2][name]) for name, value in tensors[0].items())


@pytest.mark.parametrize(
    ("major", "wanted", "used"), [(9, True, True), (8, True, True), (7, True, False), (9, False, False)]
)
def test_the_record_names_the_gpu_and_its_arithmetic(
    monkeypatch: pytest.MonkeyPatch, major: int, wanted: bool, used: bool
) -> None:
    made = make_accelerator(LoopSpec(steps=1, device="cpu"))
    monkeypatch.setattr(type(made), "device", torch.device("cuda", 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Some GPU")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (major, 0))
    monkeypatch.setattr(torch.version, "hip", None)
    found = training_environment(made, LoopSpec(steps=1, tf32=wanted))
    assert found == {"device": "cuda (Some GPU)", "precision": "float32", "tf32": used}


def test_a_resumed_run_keeps_the_record_unless_it_trains(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gpu = {"device": "cuda (Some GPU)", "precision": "bf16", "tf32": True}
    monkeypatch.setattr(train_run, "training_environment", lambda *_: gpu)
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 1, "precision": "auto"}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    first = json.loads(run.environment_path.read_text(encoding="utf-8"))
    assert first["training"] == gpu
    run.environment_path.write_text(json.dumps({**first, "platform": "Elsewhere"}), encoding="utf-8")
    monkeypatch.undo()
    Pipeline(spec, output=run.folder, resume=True).fit()
    assert json.loads(run.environment_path.read_text(encoding="utf-8")) == {**first, "platform": "Elsewhere"}
    assert "was trained to" not in caplog.text
    spec["training"]["steps"] = 2
    Pipeline(spec, output=run.folder, resume=True).fit()
    last = json.loads(run.environment_path.read_text(encoding="utf-8"))
    assert last["training"] == {"device": "cpu", "precision": "float32", "tf32": False}
    assert last["platform"] == first["platform"] and started_here(open_run(run.folder))
    assert (
        f"{run.folder}: was trained to step 1 in bf16 on cuda (Some GPU); the next steps are trained in "
        "float32 on cpu"
    ) in caplog.messages


@pytest.mark.parametrize("given", [{}, {"tf32": False, "cudnn_benchmark": False}])
def test_training_computes_as_the_spec_says_and_the_test_as_always(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, given: dict[str, bool]
) -> None:
    """So that the test gives the values that `skinfw evaluate` gives later."""
    events: list[Any] = []

    @contextmanager
    def arithmetic(device: torch.device, *, tf32: bool, benchmark: bool) -> Iterator[None]:
        events.append((device.type, tf32, benchmark))
        yield
        events.append("end")

    class Watcher:
        @hookimpl
        def step_ended(self) -> None:
            events.append("step")

    evaluate = train_run.evaluate_run
    monkeypatch.setattr(train_run, "cuda_arithmetic", arithmetic)
    monkeypatch.setattr(
        train_run, "evaluate_run", lambda *args, **more: events.append("test") or evaluate(*args, **more)
    )
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 1, **given}
    Pipeline(spec, output=tmp_path / "run", hooks=[Watcher()]).fit()
    assert events == [("cpu", not given, not given), "step", "end", "test"]
