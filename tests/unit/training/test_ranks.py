"""Two processes of one run on this machine."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import one_step
import pytest
import torch
from forked import Forked, Forks

from skinfw.errors import RunError
from skinfw.evaluation.together import ENDED
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.specs.spec import parse_spec
from skinfw.training.accelerator import make_accelerator


def start_ranks(forks: Forks, *arguments: str) -> list[Forked]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return forks.start(
        arguments, [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]
    )


SCRIPT = """
import time
from datetime import timedelta
import torch, torch.distributed as dist
from accelerate import Accelerator
from skinfw.training.ranks import Ranks
ranks = Ranks(Accelerator(cpu=True))
dist.distributed_c10d._set_pg_timeout(timedelta(seconds=1))
if ranks.is_main:
    time.sleep(2.5)  # measures longer than others wait
ranks.wait()
print(ranks.any(False), ranks.any(not ranks.is_main), flush=True)
network = torch.nn.BatchNorm1d(1)
network.running_mean.fill_(ranks.index + 5)
with ranks.same_buffers(network):
    inside = float(network.running_mean)
values = [inside, float(network.running_mean)], ranks.count, ranks.from_first([ranks.index])
print(values, ranks.exchange("ab"[ranks.index]), ranks.collect(ranks.index), flush=True)
if not ranks.is_main:
    raise SystemExit(3)
for talk in (ranks.wait, lambda: ranks.any(True), lambda: dist.all_reduce(torch.zeros(1))):
    try:
        with ranks.together():
            talk()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
try:
    with ranks.together():
        raise RuntimeError("something else")
except RuntimeError as error:
    print(error)
"""


def test_ranks_wait_as_long_as_it_takes_and_see_when_one_has_ended(forks: Forks, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    first, second = forks.ended(start_ranks(forks, str(script)))
    gone = (
        "RunError: another process of this run has ended, so this one ends too; see its message for the "
        "reason\n"
    )
    said = "False True\n([5.0, {own}], 2, [0]) ['a', 'b'] {collected}\n"
    found = said.format(own="5.0", collected=[0, 1])
    assert first[:2] == (0, found + 3 * gone + "something else\n"), first
    assert second[:2] == (3, said.format(own="6.0", collected=[])), second


def test_all_ranks_stop_at_the_same_step(
    forks: Forks, tmp_path: Path, tiny_spec: Callable[..., dict[str, Any]]
) -> None:
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": 2000}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    run = tmp_path / "run"
    ranks = start_ranks(forks, "-m", "skinfw", "run", str(tmp_path / "spec.json"), "--output", str(run))
    forks.wait_for(run / "log.jsonl", ranks)
    ranks[1].send_signal(signal.SIGINT)
    first, second = forks.ended(ranks)
    assert (first[0], second[0]) == (130, 130), (first, second)
    step = read_checkpoint(run / "checkpoints" / "last.safetensors").progress.step
    assert f"Interrupted; step {step} is saved. Continue with --resume." in first[2]
    assert "Traceback" not in first[2] + second[2] and "Interrupted" not in second[2]


def test_a_killed_process_ends_the_other_with_one_message(
    forks: Forks, tmp_path: Path, tiny_spec: Callable[..., dict[str, Any]]
) -> None:
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": 2000}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    run = tmp_path / "run"
    ranks = start_ranks(forks, "-m", "skinfw", "run", str(tmp_path / "spec.json"), "--output", str(run))
    forks.wait_for(run / "log.jsonl", ranks)
    ranks[1].send_signal(signal.SIGKILL)
    first, second = forks.ended(ranks)
    assert (first[0], second[0]) == (2, -signal.SIGKILL), (first, second)
    assert first[2].count(f"Error: {ENDED}") == 1 and "Traceback" not in first[2]


def test_a_step_of_two_processes_is_that_of_one_with_all_samples(
    forks: Forks, tmp_path: Path, tiny_spec: Callable[..., dict[str, Any]]
) -> None:
    skin = [{"type": name, "region": "skin"} for name in ("l1", "psnr", "total_variation", "ssim")]
    spec = tiny_spec(
        generator={"type": "pix2pix", "base_channels": 4, "norm": "instance"},
        losses=[*skin, "color", {"type": "gan", "r1": 10}, "feature_matching"],
    )
    spec["discriminator"] |= {"norm": "instance", "spectral_norm": True}
    spec["training"]["ema"] = 0.5
    paths = []
    for accumulation in (1, 2):
        spec["training"]["gradient_accumulation"] = accumulation
        paths.append(tmp_path / f"{accumulation}.json")
        paths[-1].write_text(json.dumps(spec), encoding="utf-8")
    one_step.write(paths[0])
    done = forks.ended(start_ranks(forks, one_step.__file__, *map(str, paths)))
    assert [code for code, *_ in done] == [0, 0], done
    alone = torch.load(f"{paths[0]}.1.pt")
    for path in paths:
        other = torch.load(f"{path}.2.pt")
        assert other["values"] == pytest.approx(alone["values"], rel=1e-5)
        for name, gradient in alone["gradients"].items():
            off = float((other["gradients"][name] - gradient).norm() / gradient.norm())
            assert off < 1e-5, f"the gradient of the {name} is off by {off:.2g}"
        first, second = other["averages"]
        assert torch.equal(first, second)
        torch.testing.assert_close(first, alone["averages"][0], rtol=1e-3, atol=1e-4)


def test_more_processes_than_accelerators_are_refused(
    tiny_spec: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    value = tiny_spec()
    make_accelerator(parse_spec(value).training)  # its device is the CPU
    value["training"]["device"] = "auto"
    with pytest.raises(RunError, match="2 processes of this run are on a machine with 1 accelerator; start"):
        make_accelerator(parse_spec(value).training)
