from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from skinfw.assembly.assemble import build_baselines, build_dataset, build_generator
from skinfw.data.sample_cache import SampleCache
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.examples import choose_examples, inpainted_examples, ranking_metric, shown_names
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.specs.spec import parse_spec


def evaluation(values: list[float | None], direction: Any = "higher", key: str = "skin/psnr") -> Evaluation:
    return Evaluation(
        split="test",
        step=1,
        names=[f"p{index}" for index in range(len(values))],
        metrics={key: MetricInfo("dB", direction)},
        values={"trained": {key: 1.0}},
        per_image={"trained": {key: values}},
        violations={"trained": 0},
        seconds_per_image={"trained": 0.1},
    )


def test_best_median_and_worst_by_the_deciding_metric() -> None:
    chosen = choose_examples(evaluation([3.0, 9.0, 1.0, 7.0, 5.0]), per_rank=1)
    assert chosen == {"p1": "best", "p4": "median", "p2": "worst"}


def test_a_low_error_is_best() -> None:
    chosen = choose_examples(evaluation([3.0, 9.0, 1.0], "lower"), per_rank=1)
    assert chosen == {"p2": "best", "p0": "median", "p1": "worst"}


def test_a_value_near_0_is_best_where_the_metric_has_a_sign() -> None:
    chosen = choose_examples(evaluation([3.0, -0.5, -9.0], "zero"), per_rank=1)
    assert chosen == {"p1": "best", "p0": "median", "p2": "worst"}


def test_two_of_each_where_there_are_six() -> None:
    chosen = choose_examples(evaluation([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]))
    assert chosen == {
        "p0": "best", "p1": "best", "p2": "median", "p3": "median", "p4": "worst", "p5": "worst",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [([4.0], {"p0": "best"}), ([4.0, 5.0], {"p1": "best", "p0": "worst"})],
)
def test_no_image_stands_twice(values: list[float | None], expected: dict[str, str]) -> None:
    assert choose_examples(evaluation(values)) == expected


def test_images_without_a_value_are_not_ranked() -> None:
    assert choose_examples(evaluation([None, 2.0, 1.0])) == {"p1": "best", "p2": "worst"}


def test_without_values_an_image_is_still_shown() -> None:
    found = evaluation([None, None, None])
    found = Evaluation(**{**vars(found), "per_image": {"trained": {}}})
    assert ranking_metric(found) is None
    assert choose_examples(found) == {"p0": "best", "p1": "median", "p2": "worst"}


def test_all_samples_are_shown_best_first_and_those_without_a_value_last() -> None:
    assert shown_names(evaluation([None, 2.0, 3.0, None, 1.0])) == ["p2", "p1", "p4", "p0", "p3"]
    assert shown_names(evaluation([1.0, 3.0, 2.0], "lower")) == ["p0", "p2", "p1"]


def test_of_too_many_samples_the_chosen_and_others_evenly_are_shown() -> None:
    found = evaluation([float(-place) for place in range(1000)])
    names = shown_names(found, most=26)
    assert len(names) == 26 and set(choose_examples(found)) <= set(names)
    places = [int(name[1:]) for name in names]
    assert places == sorted(places)
    assert max(other - one for one, other in itertools.pairwise(places)) <= 51


@pytest.mark.parametrize("batch_size", [1, 3])
def test_examples_hold_what_was_measured(tiny_spec: Callable[..., Any], batch_size: int) -> None:
    value = tiny_spec()
    value["training"]["eval_batch_size"] = batch_size
    spec = parse_spec(value)
    data, generator, baselines = build_dataset(spec), build_generator(spec), build_baselines(spec)
    device = torch.device("cpu")
    found = evaluate_generator(
        generator, spec, data, data.names()[:4], split="test", step=1, device=device, baselines=baselines
    )
    examples = list(inpainted_examples(generator, baselines, spec, data, found, device))
    assert [example.name for example in examples] == shown_names(found)
    assert [example.rank for example in examples] in (
        ["best", "median", None, "worst"], ["best", None, "median", "worst"],
    )  # fmt: skip
    values = dict(zip(found.names, found.per_image["trained"]["skin/psnr"], strict=True))
    for example in examples:
        main = [name for name, part in example.parts.items() if part.main]
        assert main == ["apparel_head_foot", "output", "target", "opencv_inpaint", "mean_color", "error"]
        assert list(example.parts)[len(main) :] == ["line", "segmentation_skin"]
        sample, output = data.load(example.name), example.parts["output"].image
        assert np.array_equal(example.parts["target"].image, sample["body"])
        skin, base = sample["segmentation_skin"], sample["apparel_head_foot"]
        assert np.array_equal(output[~skin], base[~skin])
        error = np.mean(((output.astype(float) - sample["body"])[skin] / 255) ** 2)
        assert values[example.name] == pytest.approx(-10 * np.log10(error), rel=1e-4)


def test_examples_are_read_from_the_cache_in_the_batches_of_an_evaluation(
    tiny_spec: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    value = tiny_spec()
    value["training"]["eval_batch_size"] = 3
    spec = parse_spec(value)
    data, generator, baselines = build_dataset(spec), build_generator(spec), build_baselines(spec)
    names, device, cache = data.names()[:4], torch.device("cpu"), SampleCache(100, data)
    found = evaluate_generator(
        generator, spec, data, names, split="test", step=1, device=device, baselines=baselines, cache=cache
    )
    loaded: list[str] = []
    batches: list[int] = []
    load, forward = type(data).load, generator.forward

    def count_loaded(self: Any, name: str) -> Any:
        loaded.append(name)
        return load(self, name)

    def count_images(*tensors: Any, **more: Any) -> Any:
        batches.append(len(tensors[0]))
        return forward(*tensors, **more)

    monkeypatch.setattr(type(data), "load", count_loaded)
    monkeypatch.setattr(generator, "forward", count_images)
    examples = list(inpainted_examples(generator, baselines, spec, data, found, device, cache))
    assert [example.name for example in examples] == shown_names(found)
    assert (loaded, batches) == ([], [3, 1])
