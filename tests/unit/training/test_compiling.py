"""Compiled networks train like others; checkpoints and evaluation see the network itself."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forked import Forks
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch._inductor import config as inductor

from skinfw import Pipeline
from skinfw.errors import RunError
from skinfw.evaluation import evaluate_generator as evaluating
from skinfw.interfaces import Generator
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.specs.run_spec import LoopSpec
from skinfw.training.accelerator import make_accelerator
from skinfw.training.compiling import compile_errors
from skinfw.training.optimized import OptimizedModule

MakeSpec = Callable[..., dict[str, Any]]


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, values: Tensor) -> Tensor:
        return self.layer(values).tanh()


def test_a_compiled_network_takes_the_step_of_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With torch's own compiler, which takes seconds even for this network."""
    monkeypatch.setattr(inductor, "compile_threads", 1)  # in this process: others would import torch first
    torch._dynamo.reset()
    counters.clear()
    states = []
    for compile in (False, True):
        training = LoopSpec(steps=1, device="cpu", compile=compile)
        torch.manual_seed(0)
        part = OptimizedModule("tiny", Tiny(), 0.1, training, make_accelerator(training))
        assert (part.prepared is part.network) != compile
        part.backward(part.prepared(torch.tensor([[0.25, -2.0]])).sum())
        part.descend()
        states.append(part.state())
    assert counters["stats"]["unique_graphs"] >= 1
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value)


def test_checkpoints_and_evaluations_are_those_of_the_network_itself(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traced by torch's compiler, but computed by the same operations, which is quick and exact."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    real = evaluating.inpaint_batches

    def watched(generator: nn.Module, *args: Any, **options: Any) -> Any:
        assert isinstance(generator, Generator)
        return real(generator, *args, **options)

    monkeypatch.setattr(evaluating, "inpaint_batches", watched)
    tensors = []
    for compile in (False, True):
        counters.clear()
        spec = tiny_spec(baselines=[])
        spec["training"] |= {"epochs": None, "steps": 2, "compile": compile, "ema": 0.5}
        run = Pipeline(spec, output=tmp_path / str(compile)).fit().run
        assert bool(counters["stats"]["unique_graphs"]) == compile
        tensors.append(read_checkpoint(run.checkpoint("last")).tensors)
    assert tensors[0].keys() == tensors[1].keys()
    assert all(torch.equal(value, tensors[1][name]) for name, value in tensors[0].items())


def test_without_a_compiler_the_error_is_one_line(forks: Forks, tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec()
    spec["training"]["compile"] = True
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    environment = {"PATH": str(tmp_path), "CXX": "", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    command = ("-m", "skinfw", "run", str(path), "--output", str(tmp_path / "run"))
    ((code, _, errors),) = forks.ended(forks.start(command, [environment]))
    lines = [line for line in errors.splitlines() if line.startswith("Error: ")]
    assert code == 2 and "Traceback" not in errors, errors
    assert len(lines) == 1 and lines[0].startswith("Error: training.compile: torch cannot compile for cpu"), (
        errors
    )
    assert "install a C++ compiler" in lines[0]


def test_a_network_that_cannot_be_compiled_is_named_in_one_line() -> None:
    def backend(*_: Any) -> Any:
        raise ValueError("no such operation\nin this compiler")

    with (
        pytest.raises(RunError, match=r"cannot compile a network of this spec \(.*\); set it to false$"),
        compile_errors(),
    ):
        torch.compile(lambda values: values + 1, backend=backend)(torch.ones(2))
    with pytest.raises(ZeroDivisionError), compile_errors():
        _ = 1 / 0
