from __future__ import annotations

import json
import re
from typing import Any

import pytest

from skinfw.evaluation.results import Evaluation, MetricInfo, SkinTone
from skinfw.evaluation.summary import summary
from skinfw.evaluation.tone_groups import (
    FIFTHS,
    GroupMean,
    ToneGap,
    group_intervals,
    group_means,
    group_sizes,
    ita_class,
    metrics_on_skin,
    tone_gap,
    tones_json,
)
from skinfw.reporting.tone_plots import tone_sections
from skinfw.reporting.tones import TITLES, short_tone_table, tone_table

LIGHT, TAN, DARK = SkinTone(50.0, 3, 80.0), SkinTone(20.0, 5, 60.0), SkinTone(-40.0, 9, 30.0)


def evaluation(
    tones: Any, trained: Any, direction: Any = "higher", *, key: str = "skin/psnr", **baselines: Any
) -> Evaluation:
    per_image = {"trained": {key: trained}, **{name: {key: each} for name, each in baselines.items()}}
    return Evaluation(
        split="test",
        step=1,
        names=[f"image {index}" for index in range(len(trained))],
        metrics={key: MetricInfo("dB", direction)},
        values={name: {key: 20.0} for name in per_image},
        per_image=per_image,
        violations=dict.fromkeys(per_image, 0),
        seconds_per_image=dict.fromkeys(per_image, 0.01),
        tones=tuple(tones),
    )


def served_unequally(direction: Any = "higher") -> Evaluation:
    tones = [LIGHT] * 6 + [None, DARK, TAN] + [DARK] * 6
    trained = [20.0, 22.0, 24.0, 20.0, 24.0, 22.0, 99.0, None, 1.0, 18.0, 18.0, 18.0, 18.0, 20.5, 18.5]
    return evaluation(tones, trained, direction, mean_color=[10.0] * 15)


@pytest.mark.parametrize(
    ("ita", "name"),
    [
        (90.0, "very light"), (55.1, "very light"), (55.0, "light"), (41.1, "light"), (41.0, "intermediate"),
        (28.1, "intermediate"), (28.0, "tan"), (10.1, "tan"), (10.0, "brown"), (-29.9, "brown"),
        (-30.0, "dark"), (-90.0, "dark"),
    ],
)  # fmt: skip
def test_classes_of_the_typology_angle(ita: float, name: str) -> None:
    assert ita_class(ita) == name


def test_means_are_over_the_images_that_have_tone_and_value() -> None:
    found = served_unequally()
    assert group_means(found, "skin/psnr", "ita") == {
        "light": GroupMean(22.0, 6),
        "tan": GroupMean(1.0, 1),
        "dark": GroupMean(18.5, 6),
    }
    assert group_means(found, "skin/psnr", "monk", "mean_color")["9"] == GroupMean(10.0, 7)
    assert group_sizes(found, "ita") == {"light": 6, "tan": 1, "dark": 7}
    assert list(group_sizes(found, "monk")) == ["3", "5", "9"]


def test_the_gap_is_between_classes_that_have_an_interval() -> None:
    assert tone_gap(served_unequally()) == ToneGap("skin/psnr", "light", "dark", 3.5, clear=True)
    assert tone_gap(served_unequally("lower")) == ToneGap("skin/psnr", "dark", "light", 3.5, clear=True)
    assert tone_gap(served_unequally("zero")) == ToneGap("skin/psnr", "dark", "light", 3.5, clear=True)
    signed = evaluation([LIGHT] * 6 + [DARK] * 6, [-4.0] * 6 + [3.0] * 6, "zero")
    assert tone_gap(signed) == ToneGap("skin/psnr", "dark", "light", 7.0, clear=True)
    assert tone_gap(evaluation([LIGHT] * 6 + [DARK] * 5, [20.0] * 11)) is None


def test_a_gap_is_clear_though_the_intervals_of_the_means_overlap() -> None:
    """The means differ by 2.5 standard errors of the difference, each of which is 1.4 of a mean."""
    values = [20.0, 21.0, 22.0] * 2 + [18.8, 19.8, 20.8] * 2
    found = evaluation([LIGHT] * 6 + [DARK] * 6, values)
    light, dark = group_intervals(found, "skin/psnr", "ita").values()
    assert light.low is not None and dark.high is not None and light.low < dark.high
    assert tone_gap(found) == ToneGap("skin/psnr", "light", "dark", pytest.approx(1.2), clear=True)


def test_fifths_are_equal_parts_by_lightness_lightest_first() -> None:
    lightness = [20.0, 90.0, 50.0, None, 70.0, 30.0, 80.0, 60.0, 40.0, 85.0, 10.0]
    tones = [None if each is None else SkinTone(0.0, 5, each) for each in lightness]
    found = evaluation(tones, [0.0 if each is None else each for each in lightness])
    means = group_means(found, "skin/psnr", "fifths")
    assert {name: (each.mean, each.images) for name, each in means.items()} == {
        "lightest fifth": (87.5, 2),
        "lighter fifth": (75.0, 2),
        "middle fifth": (55.0, 2),
        "darker fifth": (35.0, 2),
        "darkest fifth": (15.0, 2),
    }
    assert list(means) == list(FIFTHS)


def test_a_few_images_and_tones_without_lightness_have_the_fifths_that_they_fill() -> None:
    found = evaluation([DARK, SkinTone(0.0, 5), LIGHT], [1.0, 2.0, 3.0])
    assert group_sizes(found, "fifths") == {"lightest fifth": 1, "middle fifth": 1}
    assert TITLES["fifths"] not in tone_sections(evaluation([SkinTone(0.0, 5)], [1.0]))


def test_the_summary_tells_the_gap() -> None:
    assert summary(served_unequally()).endswith(
        "By skin tone, skin PSNR is best on light skin (22.00 dB, 6 images) and worst on dark skin "
        "(18.50 dB, 6 images): 3.50 dB apart."
    )
    values = [20.0, 21.0, 22.0] * 2 + [17.0, 18.0, 19.0] * 2
    text = summary(evaluation([LIGHT] * 6 + [DARK] * 6, values))
    assert text.endswith("worst on dark skin (18.00 dB, 6 images): 3.00 dB apart.")
    text = summary(evaluation([LIGHT] * 6 + [DARK] * 6, [20.0, 21.0, 22.0] * 2 + [19.5, 20.5, 21.5] * 2))
    assert text.endswith("worst on dark skin (20.50 dB, 6 images): 0.50 dB apart, no clear difference.")
    text = summary(evaluation([LIGHT] * 6 + [DARK] * 5, [20.0] * 11))
    assert text.endswith("Skin tones are not compared: fewer than two classes have 6 images.")


@pytest.mark.parametrize(
    "found",
    [evaluation([], [20.0] * 9), evaluation([LIGHT] * 9, [20.0] * 9, key="image/psnr")],
    ids=["no tones", "no value on skin"],
)
def test_without_tones_or_skin_nothing_is_told(found: Evaluation) -> None:
    assert metrics_on_skin(found) == []
    assert tone_gap(found) is None
    assert tone_sections(found) == {}
    assert short_tone_table(found) is None
    assert "mean_color" not in summary(found)


def test_the_table_marks_small_classes_and_the_best_of_each() -> None:
    table = tone_table(served_unequally(), "ita")
    assert table.columns == ["images", "skin PSNR (dB) ↑"]
    assert [(name, [cell.text for cell in cells]) for name, cells in table.rows] == [
        ("light, trained", ["6", "22.00"]),
        ("light, mean_color", ["6", "10.00"]),
        ("tan, trained", ["1 (few)", "1.00"]),
        ("tan, mean_color", ["1 (few)", "10.00"]),
        ("dark, trained", ["7", "18.50 (of 6)"]),
        ("dark, mean_color", ["7", "10.00"]),
    ]
    assert [cells[1].best for _, cells in table.rows] == [True, False, False, False, True, False]


def test_each_grouping_has_plots_and_a_table_that_says_the_same() -> None:
    trained = [20.0, 22.0, 24.0, 20.0, 24.0, 22.0, 1.0, 18.0, 18.0, 18.0, 18.0, 20.5]
    found = evaluation([LIGHT] * 6 + [TAN] + [DARK] * 5, trained)
    sections = tone_sections(found)
    assert list(sections) == list(TITLES.values())
    (plot,) = sections[TITLES["ita"]]["plots"]
    assert plot["title"] == "skin PSNR (dB) ↑"
    words = re.fullmatch(
        r"skin PSNR \(dB\) ↑: light 22\.00 \[(.*), (.*)\] over 6 images, tan 1\.00 over 1 image, "
        r"dark 18\.50 over 5 images",
        plot["summary"],
    )
    assert words is not None and 20 < float(words[1]) < 22 < float(words[2]) < 24
    assert sections[TITLES["ita"]]["table"] == tone_table(found, "ita")


def test_the_short_table_has_one_row_per_class_and_one_image_wins_nothing() -> None:
    table = short_tone_table(served_unequally())
    assert table is not None
    assert (table.corner, table.columns) == ("skin PSNR (dB) ↑", ["images", "trained", "mean_color"])
    assert [(name, [cell.text for cell in cells]) for name, cells in table.rows] == [
        ("light", ["6", "22.00", "10.00"]),
        ("tan", ["1 (few)", "1.00", "10.00"]),
        ("dark", ["7", "18.50 (of 6)", "10.00"]),
    ]
    assert [[cell.best for cell in cells] for _, cells in table.rows] == [
        [False, True, False],
        [False, False, False],
        [False, True, False],
    ]


def test_json_holds_every_inpainter_and_both_ways_of_grouping() -> None:
    value = json.loads(json.dumps(tones_json(served_unequally()), allow_nan=False))
    assert value["ita"]["skin/psnr"]["trained"]["dark"] == {"mean": 18.5, "images": 6}
    assert value["fifths"]["skin/psnr"]["trained"]["lightest fifth"]["images"] == 3
    assert value["monk"]["skin/psnr"]["mean_color"]["5"] == {"mean": 10.0, "images": 1}
    assert value["gap"] == {
        "metric": "skin/psnr",
        "best": "light",
        "worst": "dark",
        "difference": 3.5,
        "clear": True,
    }
