"""The benchmark for GPUs, at tiny size on whatever device there is, from end to end."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.support.drawn_photos import write_drawn_photo

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    yield importlib.import_module("gpu")
    for name in set(sys.modules) - before:
        if (BENCHMARKS / f"{name}.py").is_file():
            del sys.modules[name]


def run(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, photos: Path, output: Path, *more: str) -> Any:
    """Run the benchmark at tiny size; returns its table."""
    monkeypatch.setenv("SKINFW_DATA", "")  # the benchmark sets its own
    words = ["gpu.py", "--tiny", "--photos", photos, "--output", output, *more]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    gpu.main()
    return json.loads((output / "gpu.json").read_text("utf-8"))


def test_it_measures_and_trains(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number in range(16):
        write_drawn_photo(tmp_path / f"photos/id_{number:08d}/01_1_front.png", number, (128, 64))
    parts = ["machine", "parity", "steps", "loading", "trainings"]
    rows = run(gpu, monkeypatch, tmp_path / "photos", tmp_path / "out", "--parts", *parts)
    by_part: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_part.setdefault(row["part"], []).append(row)
    assert not [row for row in rows if "failed" in row or "skipped" in row]
    if not torch.accelerator.is_available():
        assert by_part["parity"][0]["images"] == "0.0e+00"  # the CPU beside itself
    assert [row["batch"] for row in by_part["step"]] == [1, 2]
    assert by_part["step"][1]["gigaflops"] == pytest.approx(2 * by_part["step"][0]["gigaflops"], rel=0.1)
    for part in ("loading", "loading, cached"):
        assert [row["num_workers"] for row in by_part[part]] == [0, 1]
        assert all(row["samples_per_second"] > 0 for row in by_part[part])
    for name in ("report", "photos_64"):
        (row,) = by_part[name]
        assert (row["exit"], row["said"]) == (0, "")
        assert row["seconds_per_step"] > 0
        assert set(row["values"]) == {"trained", "mean_color", "opencv_inpaint"}
        assert (tmp_path / f"out/{name}.html").is_file()
    assert (tmp_path / "out/profile_1_as_by_default.txt").is_file()


def test_a_part_that_fails_does_not_stop_the_others(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = run(gpu, monkeypatch, tmp_path / "none", tmp_path / "out", "--parts", "loading", "machine")
    assert rows[0]["part"] == "loading"
    assert "none" in rows[0]["failed"]
    assert rows[1]["part"] == "machine"


def test_nothing_begins_after_the_time_limit(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = run(gpu, monkeypatch, tmp_path, tmp_path / "out", "--seconds", "5", "--parts", "machine")
    assert [row["part"] for row in rows] == ["machine", "all"]
    assert rows[0]["skipped"] == "no time left"
