from __future__ import annotations

from collections.abc import Sequence

import pytest

from skinfw.evaluation.metric_tables import evaluation_table
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.evaluation.summary import summary
from skinfw.reporting.tables import tex_table

DB = MetricInfo("dB", "higher")
ERROR = MetricInfo("", "lower")
BIAS = MetricInfo("L*", "zero")


def evaluation(
    values: dict[str, dict[str, float | None]],
    metrics: dict[str, MetricInfo],
    names: str = "abcdef",
    *,
    around: Sequence[float] = (0.0,),
    per_image: bool = True,
) -> Evaluation:
    """Return results whose images have a generator's mean plus, one by one, the numbers in ``around``.

    Those of the baselines have their mean alone.
    """
    images: dict[str, dict[str, list[float | None]]] = {
        inpainter: {
            key: [
                None if mean is None else mean + around[place % len(around)] * (inpainter == "trained")
                for place, _ in enumerate(names)
            ]
            for key, mean in means.items()
            if per_image
        }
        for inpainter, means in values.items()
    }
    return Evaluation(
        split="test",
        step=1,
        names=list(names),
        metrics=metrics,
        values=values,
        per_image=images,
        violations=dict.fromkeys(values, 0),
        seconds_per_image=dict.fromkeys(values, 0.0123),
    )


def test_few_images_show_nothing_better_and_one_marks_nothing() -> None:
    values = {"trained": {"skin/psnr": 18.2}, "mean_color": {"skin/psnr": 20.0}}
    for names, marked in (("a", False), ("abcde", True)):
        found = evaluation(values, {"skin/psnr": DB}, names)
        assert summary(found).endswith(
            "18.20 dB: 1.80 dB below mean_color. Fewer than 6 images do not show which generator is better."
        )
        assert any(cell.best for _, cells in evaluation_table(found).rows for cell in cells) == marked
    alone = evaluation({"trained": {"skin/psnr": 18.2}}, {"skin/psnr": DB}, "a")
    assert summary(alone).endswith("18.20 dB.")


def test_the_summary_compares_in_words() -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/psnr": 18.2},
        "opencv_inpaint": {"skin/psnr": 15.1},
        "mean_color": {"skin/psnr": 20.0},
        "same": {"skin/psnr": 18.2004},
        "none": {"skin/psnr": None},
    }
    assert summary(evaluation(values, {"skin/psnr": DB})) == (
        "On 6 test images the trained generator reaches skin PSNR 18.20 dB: 3.10 dB above opencv_inpaint "
        "(better), 1.80 dB below mean_color (worse), equal to same."
    )


def test_a_difference_that_prints_as_zero_is_none() -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/psnr": 18.2049},
        "mean_color": {"skin/psnr": 18.2051},
    }
    assert summary(evaluation(values, {"skin/psnr": DB})).endswith("18.20 dB: equal to mean_color.")


def test_less_is_better_where_the_metric_says_so() -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/mse": 0.01},
        "mean_color": {"skin/mse": 0.03},
    }
    text = summary(evaluation(values, {"skin/mse": ERROR}))
    assert text.endswith("reaches skin MSE 0.01000: 0.02000 below mean_color (better).")


def test_nearer_to_0_is_better_where_the_metric_has_a_sign() -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/tone_bias": -1.0},
        "mean_color": {"skin/tone_bias": 3.0},
        "limbs": {"skin/tone_bias": 0.5},
    }
    found = evaluation(values, {"skin/tone_bias": BIAS})
    assert summary(found).endswith(
        "reaches skin tone bias -1.00 L*: 4.00 L* below mean_color (better), 1.50 L* below limbs (worse)."
    )
    table = evaluation_table(found)
    assert table.columns[0] == "skin tone bias (L*) → 0"
    assert [(name, cells[0].text, cells[0].best) for name, cells in table.rows] == [
        ("trained", "-1.00", False),
        ("mean_color", "+3.00", False),
        ("limbs", "+0.50", True),
    ]
    assert r"(L*) $\rightarrow$ 0" in tex_table(table, "caption")


def test_the_summary_without_any_value() -> None:
    text = summary(evaluation({"trained": {"skin/mse": None}}, {"skin/mse": ERROR}))
    assert text == "On 6 test images no metric has a value."


def test_the_next_metric_of_the_region_stands_beside_the_deciding_one() -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/psnr": 18.2, "image/mse": 0.2, "skin/mse": 0.01},
        "mean_color": {"skin/psnr": 18.1, "image/mse": 0.1, "skin/mse": 0.03},
    }
    text = summary(evaluation(values, {"skin/psnr": DB, "image/mse": ERROR, "skin/mse": ERROR}))
    assert text.endswith("0.10 dB above mean_color (better). Skin MSE: trained 0.01000, mean_color 0.03000.")


@pytest.mark.parametrize(
    ("around", "verdict"),
    [((-0.01, 0.01), "better"), ((-1.0, 0.5, 0.5), "no clear difference")],
    ids=["every image", "as many against it"],
)
def test_a_small_difference_is_better_only_if_the_images_show_it(
    around: Sequence[float], verdict: str
) -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/psnr": 18.08},
        "mean_color": {"skin/psnr": 18.0},
    }
    found = evaluation(values, {"skin/psnr": DB}, "abcdefghi", around=around)
    assert summary(found).endswith(f"18.08 dB: 0.08 dB above mean_color ({verdict}).")


def test_a_metric_without_values_per_image_has_no_verdict() -> None:
    values: dict[str, dict[str, float | None]] = {
        "trained": {"image/fid": 20.0},
        "mean_color": {"image/fid": 90.0},
    }
    found = evaluation(values, {"image/fid": ERROR}, per_image=False)
    assert summary(found).endswith("20.00: 70.00 below mean_color.")
