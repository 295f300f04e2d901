"""The job of the benchmark for GPUs: what was asked for, its table, and how it measures time."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

Row = dict[str, Any]


@dataclass
class Job:
    """What was asked for, and the table so far."""

    photos: str
    output: Path
    seconds: float
    tiny: bool
    peer: str | None
    began: float = field(default_factory=time.monotonic)
    rows: list[Row] = field(default_factory=list)

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def note(self, part: str, **row: Any) -> None:
        """Print a row and write the table."""
        self.rows.append({"part": part, **row})
        words = ", ".join(f"{key} {value}" for key, value in row.items())
        print(f"[{time.monotonic() - self.began:4.0f} s] {part}: {words}", flush=True)
        (self.output / "gpu.json").write_text(json.dumps(self.rows, indent=1), encoding="utf-8")


def synchronize() -> None:
    """Wait for the device."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


def pace(step: Callable[[], object], warm: int, count: int) -> float:
    """Return the median seconds of a call, each waited for."""
    for _ in range(warm):
        step()
    times = []
    for _ in range(count):
        synchronize()
        began = time.perf_counter()
        step()
        synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def throughput(step: Callable[[], object], count: int) -> float:
    """Return the mean seconds of calls that are waited for together, as in training."""
    synchronize()
    began = time.perf_counter()
    for _ in range(count):
        step()
    synchronize()
    return (time.perf_counter() - began) / count


def throughput_after(step: Callable[[], object], count: int) -> float:
    """Return the mean seconds of a call, after a few that warm up."""
    throughput(step, max(2, count // 4))
    return throughput(step, count)
