"""Run folders that look measured, without training."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skinfw.ablation.plan import Plan, PlannedRun, make_plan
from skinfw.evaluation.results import Evaluation, MetricInfo

METRICS = {
    "image/psnr": MetricInfo("dB", "higher"),
    "image/mse": MetricInfo("", "lower"),
    "image/fid": MetricInfo("", "lower"),
    "skin/tone_bias": MetricInfo("L*", "zero"),
}

Images = Mapping[str, Sequence[float | None]]


@pytest.fixture
def planned(tiny_spec: Callable[..., Any], tmp_path: Path) -> Callable[..., Plan]:
    """Plan an ablation of the tiny spec; keywords are fields of the file."""

    def make(**fields: Any) -> Plan:
        value = {
            "name": "try",
            "base": tiny_spec(),
            "variants": {"first": {}, "second": {"composite": "none"}},
            "seeds": [0, 1],
            **fields,
        }
        return make_plan(value, output=tmp_path / "out")

    return make


@pytest.fixture
def measure() -> Callable[..., None]:
    """Leave in a run's folder what a finished run leaves of its values.

    Every value counts ``copies`` times, as variants are compared on six images or more.
    """

    def write(
        run: PlannedRun,
        images: Images,
        *,
        names: Sequence[str] = ("a", "b", "c", "d"),
        copies: int = 2,
        data: str = "d1",
        values: Mapping[str, float | None] | None = None,
        baselines: Mapping[str, Mapping[str, float | None]] | None = None,
        baseline_images: Mapping[str, Images] | None = None,
        checkpoint: str = "best",
        steps: int = 10,
        parameters: Mapping[str, Any] | None = None,
        seconds: Mapping[str, float | None] | None = None,
        memory: Mapping[str, int | None] | None = None,
    ) -> None:
        means: dict[str, float | None] = {}
        for key, each in images.items():
            known = [value for value in each if value is not None]
            means[key] = sum(known) / len(known)
        found = Evaluation(
            split="test",
            step=10,
            names=[f"{name}{copy}" for copy in range(copies) for name in names],
            metrics={
                key: replace(METRICS[key], parameters=parameters or {}) for key in {**means, **(values or {})}
            },
            values={"trained": {**means, **(values or {})}, **(baselines or {})},
            per_image={
                inpainter: {key: [*each] * copies for key, each in own.items()}
                for inpainter, own in {"trained": images, **(baseline_images or {})}.items()
            },
            violations={"trained": 0},
            seconds_per_image=seconds or {"trained": 0.01},
            peak_memory=memory or {},
        )
        run.folder.mkdir(parents=True, exist_ok=True)
        record = {
            "checkpoint": {"which": checkpoint, "step": 10, "sha256": "0" * 64},
            "training": {
                "step": steps, "total_steps": 10,
                "epochs": run.spec.training.epochs, "steps": run.spec.training.steps,
            },
            "data": data,
            "test": found.to_json(),
        }  # fmt: skip
        (run.folder / "metrics.json").write_text(json.dumps(record), encoding="utf-8")
        (run.folder / "report.html").touch()
        (run.folder / "spec.json").write_text(json.dumps(run.spec.to_json()), encoding="utf-8")
        (run.folder / "log.jsonl").write_text('{"event": "step"}\n', encoding="utf-8")

    return write
