from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from skinfw.assembly.assemble import build_baselines, build_dataset, build_generator
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.examples import choose_examples, inpaint_examples, ranking_metric, save_examples
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


def test_examples_hold_and_write_what_was_measured(tiny_spec: Callable[..., Any], tmp_path: Path) -> None:
    spec = parse_spec(tiny_spec())
    data, generator, baselines = build_dataset(spec), build_generator(spec), build_baselines(spec)
    device = torch.device("cpu")
    found = evaluate_generator(
        generator, spec, data, data.names()[:3], split="test", step=1, device=device, baselines=baselines
    )
    examples = inpaint_examples(generator, baselines, spec, data, found, device)
    assert [example.rank for example in examples] == ["best", "median", "worst"]
    assert examples[0].value == max(value for value in found.per_image["trained"]["skin/psnr"] if value)
    assert list(examples[0].outputs) == ["trained", "opencv_inpaint", "mean_color"]
    for example in examples:
        sample = data.load(example.name)
        assert np.array_equal(example.target, sample["body"])
        skin, base = sample["segmentation_skin"], sample["apparel_head_foot"]
        assert np.array_equal(example.outputs["trained"][~skin], base[~skin])
        difference = example.outputs["trained"].astype(float) - sample["body"]
        error = np.mean((difference[skin] / 255) ** 2)
        assert example.value == pytest.approx(-10 * np.log10(error), rel=1e-4)

    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "best-9-output.png").write_bytes(b"of an earlier evaluation")
    save_examples(examples, folder)
    written = np.asarray(Image.open(folder / "worst-1-output.png"))
    assert np.array_equal(written, examples[2].outputs["trained"])
    assert not (folder / "best-9-output.png").exists()
    assert len(list(folder.iterdir())) == 3 * (3 + 3 + 2)
