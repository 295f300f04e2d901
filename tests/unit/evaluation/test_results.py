from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from skinfw.evaluation.results import Evaluation, MetricInfo, SkinTone, plain


def evaluation(values: dict[str, float | None], direction: Any = "higher") -> Evaluation:
    return Evaluation(
        split="validation",
        step=5,
        names=["a", "b"],
        metrics={key: MetricInfo("", direction) for key in values},
        values={"trained": values},
        per_image={"trained": {}},
        violations={"trained": 0},
        seconds_per_image={"trained": 0.1},
        unavailable={"mean_color": "no face"},
    )


def test_the_first_metric_decides_on_skin() -> None:
    found = evaluation({"image/psnr": 30.0, "skin/psnr": 20.0, "image/ssim": 0.9, "skin/ssim": 0.8})
    assert found.monitored_metric() == "skin/psnr"


def test_the_image_decides_where_no_skin_is_known() -> None:
    found = evaluation({"image/psnr": 30.0, "skin/psnr": None, "skin/ssim": 0.8})
    assert found.monitored_metric() == "image/psnr"


def test_a_metric_without_any_value_leaves_the_decision_to_the_next() -> None:
    found = evaluation({"image/fid": None, "image/ssim": 0.9, "skin/ssim": 0.8})
    assert found.monitored_metric() == "skin/ssim"


def test_without_metrics_nothing_decides() -> None:
    assert evaluation({}).monitored_metric() is None


@pytest.mark.parametrize(
    ("new", "old", "direction", "better"),
    [
        (2.0, 1.0, "higher", True),
        (1.0, 2.0, "higher", False),
        (1.0, 1.0, "higher", False),
        (1.0, 2.0, "lower", True),
        (2.0, 1.0, "lower", False),
        (-1.0, 2.0, "zero", True),
        (1.0, -2.0, "zero", True),
        (-2.0, 1.0, "zero", False),
        (-1.0, 1.0, "zero", False),
    ],
)
def test_better_follows_the_direction(new: float, old: float, direction: Any, better: bool) -> None:
    assert MetricInfo("", direction).better(new, old) is better


def test_json_and_back_is_the_same_evaluation() -> None:
    found = evaluation({"image/psnr": 30.0, "skin/psnr": None})
    assert Evaluation.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_cards_and_tones_survive_json_and_older_records_have_none() -> None:
    plain_one = evaluation({"skin/lpips": 0.2})
    metrics = {"skin/lpips": MetricInfo("", "lower", {"backbone": "AlexNet"})}
    found = replace(plain_one, metrics=metrics, tones=(SkinTone(41.5, 4, 60.5), None))
    value = json.loads(json.dumps(found.to_json()))
    assert value["tones"] == [{"ita": 41.5, "monk": 4, "lightness": 60.5}, None]
    assert Evaluation.from_json(value) == found
    del value["tones"][0]["lightness"]
    assert Evaluation.from_json(value).tones[0] == SkinTone(41.5, 4)
    del value["tones"], value["metrics"]["skin/lpips"]["metadata"]
    older = Evaluation.from_json(value)
    assert (older.tones, older.metrics["skin/lpips"].metadata) == ((), {})


def test_json_has_no_nan() -> None:
    assert [plain(value) for value in (1.5, float("nan"), float("inf"))] == [1.5, None, None]
