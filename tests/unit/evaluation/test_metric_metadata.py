from __future__ import annotations

from typing import Any

from skinfw.evaluation.metric_metadata import images_text, merged, metadata_table, versions_text
from skinfw.evaluation.results import Evaluation, MetricInfo


def evaluation(card: dict[str, str], values: Any = (1.0, None, 2.0)) -> Evaluation:
    return Evaluation(
        split="test",
        step=1,
        names=["a", "b", "c"],
        metrics={"skin/psnr": MetricInfo("dB", "higher"), "image/fid": MetricInfo("", "lower", card)},
        values={"trained": {"skin/psnr": 1.5, "image/fid": 9.0}},
        per_image={"trained": {"skin/psnr": values}},
        violations={"trained": 0},
        seconds_per_image={"trained": 0.1},
    )


def rows(*evaluations: Evaluation) -> dict[str, list[str]]:
    table = metadata_table({f"run {index}": each for index, each in enumerate(evaluations, 1)})
    return {name: [cell.text for cell in cells] for name, cells in [(table.corner, []), *table.rows]} | {
        table.corner: list(table.columns)
    }


def test_a_card_tells_region_images_and_what_the_metric_says() -> None:
    assert rows(evaluation({"backbone": "Inception-v3", "warnings": "few images"})) == {
        "metric": ["region", "images", "backbone", "warnings"],
        "PSNR": ["skin", "mean of 2 images", "", ""],
        "FID": ["image", "over all 3 images at once", "Inception-v3", "few images"],
    }


def test_runs_that_differ_each_say_their_own() -> None:
    found = rows(evaluation({"backbone": "A"}), evaluation({"backbone": "B"}, values=(1.0, None, None)))
    assert found["FID"][2] == "run 1: A; run 2: B"
    assert found["PSNR"][1] == "run 1: mean of 2 images; run 2: mean of 1 image"
    assert found["FID"][1] == "over all 3 images at once"


def test_what_only_one_says_is_its_own() -> None:
    assert merged({"skin": {"a": "1"}, "image": {"a": "1", "b": "2"}}) == {"a": "1", "b": "image: 2"}
    assert merged({}) == {}


def test_texts() -> None:
    assert images_text(evaluation({}), "skin/psnr") == "mean of 2 images"
    assert versions_text({"torch": "2.8", "lpips": "0.1.4"}) == "torch 2.8, lpips 0.1.4"
