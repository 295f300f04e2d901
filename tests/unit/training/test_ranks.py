"""Two processes of one run on this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.training.checkpoints import read_checkpoint

LIMIT = 180


def start_ranks(*arguments: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [
        subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip


def ended(ranks: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Wait for both; return exit code, stdout and stderr of each."""
    try:
        said = [rank.communicate(timeout=LIMIT) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    return [(rank.returncode, *texts) for rank, texts in zip(ranks, said, strict=True)]


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


def test_ranks_wait_as_long_as_it_takes_and_see_when_one_has_ended() -> None:
    first, second = ended(start_ranks("-c", SCRIPT))
    gone = "RunError: another process of this run has ended, so this one ends too; its own message says why\n"
    assert first[:2] == (0, "False True\n" + 3 * gone + "something else\n"), first
    assert second[:2] == (3, "False True\n"), second


@pytest.fixture
def training(tmp_path: Path, tiny_spec: Callable[..., dict[str, Any]]) -> Any:
    """Start a run of two processes, and wait until it has trained for some steps."""
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": 2000}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    run = tmp_path / "run"
    ranks = start_ranks("-m", "skinfw", "run", str(tmp_path / "spec.json"), "--output", str(run))
    deadline = time.monotonic() + LIMIT
    while not (run / "log.jsonl").is_file() and time.monotonic() < deadline:
        if any(rank.poll() is not None for rank in ranks):
            raise AssertionError(ended(ranks))
        time.sleep(0.01)
    yield ranks, run
    for rank in ranks:
        rank.kill()


def test_all_ranks_stop_at_the_same_step(training: Any) -> None:
    ranks, run = training
    ranks[1].send_signal(signal.SIGINT)
    first, second = ended(ranks)
    assert (first[0], second[0]) == (130, 130), (first, second)
    step = read_checkpoint(run / "checkpoints" / "last.safetensors").progress.step
    assert f"Interrupted; step {step} is saved. Go on with --resume." in first[2]
    assert "Traceback" not in first[2] + second[2] and "Interrupted" not in second[2]


def test_a_rank_that_dies_ends_the_others(training: Any) -> None:
    ranks, _ = training
    ranks[1].kill()
    first, _ = ended(ranks)
    assert first[0] == 2
    assert first[2].endswith(
        "Error: another process of this run has ended, so this one ends too; its own message says why\n"
    )
    assert "Traceback" not in first[2]
