"""Several processes measure what one would, sample by sample and value by value."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from process_threads import Threads
from torch import Tensor

from skinfw.assembly import assemble
from skinfw.assembly.assemble import build_baselines, build_dataset, build_generator
from skinfw.components.config import MetricConfig
from skinfw.data.sample import Sample
from skinfw.errors import DataError, RunError
from skinfw.evaluation import metric_set
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.together import ALONE, ENDED, own_part
from skinfw.interfaces import Dataset, Metric, MetricIO
from skinfw.specs.spec import Spec, parse_spec
from skinfw_plugins.metrics.distribution import DistributionMetric
from skinfw_plugins.metrics.per_image import PerImageMetric

Make = Callable[..., Any]
CPU = torch.device("cpu")


class Counted:
    """A data set that counts what it loads, and cannot read some of its samples."""

    def __init__(self, dataset: Dataset[Any], broken: Sequence[str] = ()) -> None:
        self.io, self.broken, self.loaded, self._load = dataset.io, broken, list[str](), dataset.load

    def load(self, name: str) -> Sample:
        self.loaded.append(name)
        if name in self.broken:
            raise DataError(f"{name}: broken")
        return self._load(name)


class Means(DistributionMetric[MetricConfig]):
    """Compares the mean colors of two sets."""

    def extractor(self) -> torch.nn.Module:
        return torch.nn.AvgPool2d(32)

    def distance(self, painted: Tensor, true: Tensor) -> float:
        return float((painted - true).sum() * 1e3 + painted.flatten()[:7].prod())


@pytest.fixture
def spec(tiny_spec: Make) -> Spec:
    value = tiny_spec(metrics=["psnr", "ssim", "mse"])
    value["training"]["eval_batch_size"] = 3
    return parse_spec(value)


@pytest.fixture(autouse=True)
def _with_a_set_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``mse`` be a metric over a set of images."""
    real = assemble.build_metric

    def build(reference: Any) -> Any:
        built = real(reference)
        return built if reference.name != "mse" else {r: Means(MetricConfig(), MetricIO(r)) for r in built}

    monkeypatch.setattr(metric_set, "build_metric", build)


def measured(spec: Spec, data: Any, names: Sequence[str], together: Any, **more: Any) -> Evaluation:
    return evaluate_generator(
        more.pop("generator"), spec, data, names, split="test", step=1, device=CPU, together=together, **more
    )


def shared(
    spec: Spec, count: int, broken: Sequence[str] = (), size: int = 20, **more: Any
) -> tuple[list[Any], list[Counted]]:
    torch.manual_seed(0)
    generator = build_generator(spec).eval()
    data = [Counted(build_dataset(spec), broken) for _ in range(count)]
    names = build_dataset(spec).names()[:size]

    def work(one: Any) -> Evaluation:
        extra = {"baselines": build_baselines(spec)} if more else {}
        return measured(spec, data[one.index], names, one, generator=generator, **extra)

    return Threads(count).run(work), data


def comparable(evaluation: Evaluation) -> dict[str, Any]:
    found = vars(replace(evaluation, seconds_per_image={}, peak_memory={}))
    return json.loads(json.dumps({name: str(value) for name, value in found.items()}))


@pytest.mark.parametrize("count", [2, 3, 9])
def test_the_results_are_those_of_one_process(count: int, spec: Spec) -> None:
    broken = ["mannequin-000004", "mannequin-000019"]
    value = spec.to_json()
    spec = parse_spec({**value, "data": {**value["data"], "on_corrupt": "skip"}})
    (alone,), _ = shared(spec, 1, broken, baselines=True)
    found, data = shared(spec, count, broken, baselines=True)
    assert comparable(found[0]) == comparable(alone)
    assert alone.values["trained"]["image/mse"] is not None and set(alone.values) == {
        "trained",
        "opencv_inpaint",
        "mean_color",
    }
    assert all(not each.values["trained"] for each in found[1:])
    assert [each.names for each in found] == [alone.names] * count and len(alone.names) == 18
    loaded = [name for each in data for name in each.loaded]
    assert sorted(loaded) == sorted(build_dataset(spec).names())
    assert max(len(each.loaded) for each in data) <= 3 * -(-7 // count)


def test_a_part_is_of_whole_batches() -> None:
    class Process:
        count = 4

        def __init__(self, index: int) -> None:
            self.index = index

    parts = [own_part(range(20), 3, Process(index)) for index in range(4)]  # type: ignore[arg-type]
    assert [list(part) for part in parts] == [[*range(6)], [*range(6, 12)], [*range(12, 18)], [18, 19]]
    assert own_part(["a"], 8, ALONE) == ["a"]


def test_what_fails_in_one_process_ends_all(spec: Spec) -> None:
    found, _ = shared(spec, 3, ["mannequin-000019"])
    assert [type(each) for each in found] == [DataError, RunError, RunError]
    assert str(found[0]) == "mannequin-000019: broken" and str(found[1]) == str(found[2]) == ENDED
    names = build_dataset(spec).names()
    value = spec.to_json()
    spec = parse_spec({**value, "data": {**value["data"], "on_corrupt": "skip"}})
    found, _ = shared(spec, 2, names)
    assert [type(each) for each in found] == [DataError, RunError]
    assert "none of the 20 samples to evaluate can be read" in str(found[0])


def test_a_metric_that_fails_somewhere_has_no_value(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    real = PerImageMetric.update

    def update(metric: Any, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        if type(metric).__name__ == "SsimMetric" and len(output) == 2:  # the last batch
            raise ValueError("a bug")
        return real(metric, output, target, region)

    monkeypatch.setattr(PerImageMetric, "update", update)
    found, _ = shared(spec, 2)
    assert found[0].values["trained"]["image/ssim"] is None and found[0].values["trained"]["image/psnr"]
    assert found[0].unavailable["trained/image/ssim"] == "ValueError: a bug"
    assert "image/ssim" not in found[0].per_image["trained"]


def test_with_a_metric_that_cannot_be_added_the_first_process_measures_all(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone,), _ = shared(spec, 1)
    monkeypatch.setattr(DistributionMetric, "add", Metric.add)
    found, data = shared(spec, 2)
    assert comparable(found[0]) == comparable(alone)
    assert not data[1].loaded and found[1].names == alone.names


def test_a_baseline_is_skipped_in_all_processes(spec: Spec, tmp_path: Path) -> None:
    value = spec.to_json()
    spec = parse_spec({**value, "baselines": ["mean_color", {"type": "images", "folder": str(tmp_path)}]})
    found, _ = shared(spec, 2, baselines=True)
    assert set(found[0].values) == {"trained", "mean_color"} and "images" in found[0].unavailable
    assert set(found[1].values) == {"trained", "mean_color"}
