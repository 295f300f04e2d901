"""What is collected from run folders, and the tables that come of it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.ablation.page_files import to_csv, to_json, to_markdown, to_tex
from skinfw.ablation.plan import Plan
from skinfw.ablation.results import AblationResult, collect
from skinfw.ablation.tables import (
    differences_table,
    metrics_table,
    orderings,
    p_text,
    published_comparison,
    spec_table,
    summary,
)

Measure = Callable[..., None]
BASELINES = {"mean_color": {"image/psnr": 21.0, "image/mse": 0.5, "image/fid": None}}


@pytest.fixture
def plan(planned: Callable[..., Plan], measure: Measure) -> Plan:
    """An ablation whose first two variants are measured with both seeds, and whose third one failed."""
    plan = planned(
        title="Mask & more",
        question="Which is better?",
        variants={
            "without_mask": {"composite": "none"},
            "with_mask": {},
            "failed_one": {"training": {"epochs": 3}},
        },
        published="mask",
    )
    values = [
        ([20.0, 22.0, 24.0, None], [0.4, 0.3, 0.2, 0.1], 90.0),
        ([22.0, 24.0, 26.0, None], [0.4, 0.3, 0.2, 0.1], 80.0),
        ([23.0, 24.0, 28.0, None], [0.3, 0.2, 0.1, 0.0], 70.0),
        ([23.0, 26.0, 28.0, None], [0.3, 0.2, 0.1, 0.0], 74.0),
    ]
    for run, (psnr, mse, fid) in zip(plan.runs, values, strict=False):
        measure(run, {"image/psnr": psnr, "image/mse": mse}, values={"image/fid": fid}, baselines=BASELINES)
    for run in plan.of("failed_one"):
        run.folder.parent.mkdir(parents=True, exist_ok=True)
        outcome = {"ending": "failed", "reason": "no <memory> | left", "seconds": 3.0, "where": "here"}
        run.beside("outcome.json").write_text(json.dumps(outcome), encoding="utf-8")
    return plan


@pytest.fixture
def result(plan: Plan) -> AblationResult:
    return collect(plan)


def test_means_deviations_and_differences_counted_by_hand(result: AblationResult) -> None:
    first, second, third = result.variants
    psnr = first.spreads["image/psnr"]
    assert psnr.values == [22.0, 24.0]
    assert (psnr.mean, psnr.deviation) == (23.0, pytest.approx(2**0.5))
    assert first.spreads["image/fid"].mean == 85.0
    # images a, b and c, twice: (23, 25, 28) minus (21, 23, 25); d has no value
    difference = second.differences["image/psnr"]
    assert difference.mean == pytest.approx((2 + 2 + 3) / 3)
    assert difference.images == 6
    # six draws of 2, 2 or 3: no 3 has a probability of 0.088, four or more of 0.100, five or more of 0.018
    assert (difference.low, difference.high) == (2.0, pytest.approx(2 + 4 / 6))
    assert difference.p == pytest.approx(2 / 10_001)
    assert second.differences["image/mse"].mean == pytest.approx(-0.1)
    assert "image/fid" not in second.differences
    assert first.differences == {} and third.differences == {} and third.spreads == {}


def test_states_reasons_and_warnings(result: AblationResult) -> None:
    assert [run.status for run in result.runs] == ["done"] * 4 + ["failed"] * 2
    assert [run.planned.label for run in result.failures] == ["failed_one seed 0", "failed_one seed 1"]
    assert result.failures[0].reason == "no <memory> | left"
    assert result.warnings() == []
    assert [each.name for each in result.comparable] == ["without_mask", "with_mask"]
    assert result.spec_differences() == {
        "composite": ["none", "skin", "skin"],
        "training.epochs": ["2", "2", "3"],
    }
    assert spec_table(result) is not None


def test_the_best_mean_is_marked_baselines_included(result: AblationResult) -> None:
    table = metrics_table(result)
    assert table.columns == [
        *("image PSNR (dB) ↑", "image MSE ↓", "image FID ↓"),
        *("ms per image", "peak MiB", "seeds"),
    ]
    rows = {name: [(cell.text, cell.best) for cell in (*cells[:3], cells[-1])] for name, cells in table.rows}
    assert rows == {
        "without_mask": [
            ("23.00 ± 1.41", False),
            ("0.2500 ± 0", False),
            ("85.00 ± 7.1", False),
            ("2", False),
        ],
        "with_mask": [("25.33 ± 0.47", True), ("0.1500 ± 0", True), ("72.00 ± 2.8", True), ("2", False)],
        "failed_one": [("n/a", False)] * 3 + [("0 of 2", False)],
        "mean_color (baseline)": [
            ("21.00", False),
            ("0.5000", False),
            ("n/a", False),
            ("nothing to train", False),
        ],
    }


def test_seeds_on_different_devices_have_no_common_cost(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    plan = planned()
    for run, device in zip(plan.runs, ["cpu", "cuda (Card)", "cpu", "cpu"], strict=True):
        measure(run, {"image/psnr": [20.0] * 4}, seconds={"trained": 0.01})
        path = run.folder / "metrics.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        record["test"]["device"] = device
        path.write_text(json.dumps(record), encoding="utf-8")
    result = collect(plan)
    assert [each.cost.seconds_per_image for each in result.variants] == [None, 0.01]
    (warning,) = result.warnings()
    assert warning.startswith("first: no time and memory") and warning.endswith(": cpu, cuda (Card)")


def test_time_and_memory_of_variants_and_baselines_are_in_every_table(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    plan = planned()
    mib = 2**20
    costs = [(0.010, 300 * mib), (0.030, 200 * mib), (0.005, None), (0.005, None)]
    for run, (seconds, memory) in zip(plan.runs, costs, strict=True):
        measure(
            run, {"image/psnr": [20.0] * 4}, baselines=BASELINES,
            seconds={"trained": seconds, "mean_color": 0.002},
            memory={"trained": memory, "mean_color": 7 * mib},
        )  # fmt: skip
    result = collect(plan)
    # the mean over the seeds, and the largest memory
    expected = {
        "first": ("20.0", "300"),
        "second": ("5.0", "-"),
        "mean_color (baseline)": ("2.0", "7"),
    }
    table = metrics_table(result)
    at = table.columns.index("ms per image")
    assert table.columns[at + 1] == "peak MiB"
    assert {name: (cells[at].text, cells[at + 1].text) for name, cells in table.rows} == expected
    assert "| 20.0 | 300 | 2 |" in to_markdown(result) and "& 20.0 & 300 & 2" in to_tex(result)
    rows = {row["variant"]: row for row in csv.DictReader(io.StringIO(to_csv(result)))}
    assert {name: (row["seconds_per_image"], row["peak_memory"]) for name, row in rows.items()} == {
        "first": ("0.02", str(300 * mib)),
        "second": ("0.005", ""),
        "mean_color": ("0.002", str(7 * mib)),
    }
    value = json.loads(to_json(result))
    assert value["variants"]["first"]["peak_memory"] == 300 * mib
    assert [run["peak_memory"] for run in value["variants"]["first"]["runs"]] == [300 * mib, 200 * mib]
    assert value["baselines"]["mean_color"]["seconds_per_image"] == 0.002


def test_differences_are_marked_where_they_are_better_and_apart_from_0(result: AblationResult) -> None:
    table = differences_table(result)
    assert table is not None
    assert table.corner == "minus without_mask"
    ((name, cells),) = table.rows
    assert name == "with_mask"
    assert [(cell.text, cell.best) for cell in cells] == [
        ("+2.33 [+2.00, +2.67], p < 0.0002", True),
        ("-0.1 [-0.1, -0.1], p < 0.0002", True),
    ]
    assert (p_text(0.0002), p_text(1.0), p_text(0.01234)) == ("p = 0.0002", "p = 1", "p = 0.012")


def test_published_figures_stand_beside_and_their_order_is_judged(result: AblationResult) -> None:
    table = published_comparison(result)
    assert table is not None
    assert table.columns[:2] == ["image MSE ↓, here", "image MSE ↓, report"]
    rows = {name: [cell.text for cell in cells] for name, cells in table.rows}
    assert rows["with_mask / with mask"] == [
        "0.1500 ± 0", "0.0023", "n/a", "0.98", "25.33 ± 0.47", "27.4", "72.00 ± 2.8", "153",
    ]  # fmt: skip
    assert rows["failed_one"] == ["n/a"] * 8
    assert orderings(result) == [
        "image MSE: 1 of 1 pair is in the report's order",
        "image PSNR: 1 of 1 pair is in the report's order",
        "image FID: 1 of 1 pair is in the report's order",
    ]
    assert summary(result) == (
        "Best mean image PSNR: with_mask, 25.33 ± 0.47 dB (+2.33 [+2.00, +2.67], p < 0.0002 "
        "against without_mask, per image: better)."
    )


@pytest.mark.parametrize(
    ("images", "verdict"),
    [([24.0, 26.0, 25.0, 25.0], "better"), ([51.0, 7.0, 21.0, 21.0], "no clear difference")],
)
def test_the_summary_names_a_baseline_that_is_ahead(
    planned: Callable[..., Plan], measure: Measure, images: list[float], verdict: str
) -> None:
    plan = planned(seeds=[0])
    for run in plan.runs:
        baselines = {"limbs": {"image/psnr": 21.0}, "mean_color": {"image/psnr": 25.0}, "none": {}}
        baseline_images = {"mean_color": {"image/psnr": images}}
        measure(
            run,
            {"image/psnr": [20.0 + (run.variant == "second")] * 4},
            baselines=baselines,
            baseline_images=baseline_images,
        )
    text = summary(collect(plan))
    assert text.endswith(f"per image: better). The baseline mean_color reaches 25.00 dB: {verdict}.")


def test_a_small_lead_is_no_clear_difference(planned: Callable[..., Plan], measure: Measure) -> None:
    """The first variant is the reference: it is compared to the second one."""
    for first, name in ((0.0, "second"), (1.0, "first")):
        plan = planned(seeds=[0])
        for run in plan.runs:
            images = [20.0 + first] * 3 if run.variant == "first" else [19.0, 21.5, 20.0]
            measure(run, {"image/psnr": images}, names="abc", copies=3)
        text = summary(collect(plan))
        assert text.startswith(f"Best mean image PSNR: {name}, 2")
        other = "first" if name == "second" else "second"
        assert text.endswith(
            f"against {other}, per image: {'no clear difference' if first == 0 else 'better'})."
        )
        shutil.rmtree(plan.output)


def test_the_best_of_many_variants_is_compared_with_a_wider_interval(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    """The mean of six draws of 1.0 or -0.1 is below 0 in 1 of 64 cases, between 0.025 / 7 and 0.025."""
    lead = [1.0, 1.0, 1.0, -0.1, -0.1, -0.1]
    for many, verdict in ((2, "better"), (8, "corrected for 7 comparisons: no clear difference")):
        plan = planned(variants={f"v{index}": {} for index in range(many)}, seeds=[0])
        for run in plan.runs:
            images = [20.0 + each for each in lead] if run.variant == "v1" else [20.0] * 6
            measure(run, {"image/psnr": images}, names="abcdef", copies=1)
        text = summary(collect(plan))
        assert text.startswith("Best mean image PSNR: v1, 20.45 dB (+0.45 [")
        assert text.endswith(f"{verdict}).")
        shutil.rmtree(plan.output)


def test_one_image_ranks_nothing(planned: Callable[..., Plan], measure: Measure) -> None:
    plan = planned(seeds=[0])
    for run in plan.runs:
        measure(run, {"image/psnr": [20.0 + (run.variant == "second")]}, names="a", copies=1)
    result = collect(plan)
    assert not any(cell.best for _, cells in metrics_table(result).rows for cell in cells)
    assert summary(result) == (
        "Best mean image PSNR: second, 21.00 dB. Fewer than 6 test images do not show which "
        "variant is better."
    )
    assert "bold" not in to_markdown(result)


def test_an_order_that_is_not_the_reports_is_told(planned: Callable[..., Plan], measure: Measure) -> None:
    plan = planned(
        variants={"one": {}, "two": {}},
        seeds=[0],
        published="losses",
        published_rows={"one": "l1", "two": "adversarial"},
    )
    for run, value in zip(plan.runs, (10.0, 20.0), strict=True):
        measure(run, {"image/psnr": [value] * 4})
    assert orderings(collect(plan)) == ["image PSNR: 0 of 1 pair is in the report's order"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"names": ("a", "b", "c", "z")}, "seed 1 was measured on different test samples from first seed 0"),
        ({"data": "d2"}, "seed 1 was measured on different data from first seed 0"),
    ],
)
def test_other_images_and_other_data_are_not_comparable(
    planned: Callable[..., Plan], measure: Measure, changes: dict[str, Any], told: str
) -> None:
    plan = planned()
    for run in plan.runs:
        other = changes if run.label == "second seed 1" else {}
        measure(run, {"image/psnr": [30.0 if run.variant == "second" else 20.0] * 4}, **other)
    result = collect(plan)
    assert result.warnings() == [f"second: {told}; not comparable"]
    assert result.variants[1].differences == {}
    rows = {name: cells[0] for name, cells in metrics_table(result).rows}
    assert rows["second (not comparable)"].text == "30.00 ± 0.00"
    assert not any(cell.best for cell in rows.values())
    assert differences_table(result) is None


def test_another_order_of_the_images_is_the_same_images(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    plan = planned(seeds=[0])
    measure(plan.runs[0], {"image/psnr": [1.0, 2.0, 3.0, 4.0]})
    measure(plan.runs[1], {"image/psnr": [5.0, 4.0, 3.0, 2.0]}, names=("d", "c", "b", "a"))
    result = collect(plan)
    assert result.warnings() == []
    difference = result.variants[1].differences["image/psnr"]
    assert (difference.mean, difference.low, difference.high) == (1.0, 1.0, 1.0)


def test_another_size_is_not_comparable(planned: Callable[..., Plan], measure: Measure) -> None:
    plan = planned(variants={"small": {}, "large": {"data": {"size": [64, 64]}}}, seeds=[0])
    for run in plan.runs:
        measure(run, {"image/psnr": [1.0] * 4})
    assert collect(plan).warnings() == [
        "large: measured at a different size from small seed 0; not comparable"
    ]


def test_missing_seeds_and_unreadable_figures_are_told(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    plan = planned()
    for run in plan.runs[1:]:
        measure(run, {"image/psnr": [1.0] * 4})
    (plan.runs[2].folder / "metrics.json").write_text("[]", encoding="utf-8")
    result = collect(plan)
    assert [run.status for run in result.runs] == ["missing", "done", "failed", "done"]
    assert "does not contain the results of a run" in result.runs[2].reason
    assert result.warnings() == ["first: 1 of 2 seeds done", "second: 1 of 2 seeds done"]
    assert result.variants[0].spreads["image/psnr"].deviation is None


def test_few_images_have_neither_interval_nor_p(planned: Callable[..., Plan], measure: Measure) -> None:
    plan = planned(seeds=[0])
    for run in plan.runs:
        better = 5.0 if run.variant == "second" else 0.0
        images = {"image/psnr": [20.0 + better, None, *[21.0 + better] * 4], "image/mse": [0.1] * 6}
        measure(run, images, names="abcdef", copies=1)
    result = collect(plan)
    assert list(result.variants[1].differences) == ["image/mse"]
    assert result.warnings() == [
        "fewer than 6 test images have a value for image PSNR: the variants cannot be compared image by "
        "image, so they have no intervals or p-values"
    ]
    assert summary(result).startswith("Best mean image PSNR: second, 25.80 dB. Fewer than 6 ")


def test_an_ablation_without_a_run_has_tables_too(planned: Callable[..., Plan]) -> None:
    result = collect(planned())
    assert summary(result) == "No run has been measured yet."
    assert [name for name, _ in metrics_table(result).rows] == ["first", "second"]
    assert differences_table(result) is None
    assert json.loads(to_json(result))["variants"]["first"]["runs"][0]["status"] == "missing"


def test_csv_holds_every_figure_at_full_precision(result: AblationResult) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(result))))
    assert [(row["variant"], row["kind"], row["seeds_done"]) for row in rows] == [
        ("without_mask", "variant", "2"),
        ("with_mask", "variant", "2"),
        ("failed_one", "variant", "0"),
        ("mean_color", "baseline", ""),
    ]
    second = result.variants[1]
    assert float(rows[1]["image/psnr difference"]) == second.differences["image/psnr"].mean
    assert float(rows[1]["image/psnr deviation"]) == second.spreads["image/psnr"].deviation
    assert (rows[1]["image/psnr images"], rows[1]["image/fid p"]) == ("6", "")
    assert [row["report image/psnr"] for row in rows] == ["26.1", "27.4", "", ""]
    assert rows[3]["image/psnr mean"] == "21.0"


def test_markdown_says_everything(result: AblationResult) -> None:
    text = to_markdown(result)
    assert text.startswith("# Mask & more\n\nWhich is better?\n\nBest mean image PSNR: with_mask")
    for part in (
        "| with_mask | **25.33 ± 0.47** | **0.1500 ± 0** | **72.00 ± 2.8** | 10.0 | - | 2 |",
        "| mean_color (baseline) | 21.00 | 0.5000 | n/a | - | - | nothing to train |",
        "| minus without_mask |",
        "Measured on DeepFashion by the report",
        "section 6.1.3.3 of the report",
        "| composite | none | skin | skin |",
        "Failed: failed_one seed 0: no <memory> | left",
    ):
        assert part in text, part


def test_latex_is_escaped_and_has_booktabs_rules(result: AblationResult) -> None:
    text = to_tex(result)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\begin{table}") == 5
    assert r"with\_mask & \textbf{25.33 $\pm$ 0.47} & \textbf{0.1500 $\pm$ 0}" in text
    assert r"image PSNR (dB) $\uparrow$" in text
    assert r"p $<$ 0.0002" in text
    tables = [line for line in text.splitlines() if line.endswith(r"\\")]
    for line in tables:
        plain = line.replace(r"\_", "").replace(r"\%", "").replace(r"\&", "")
        assert "_" not in plain and "%" not in plain and "±" not in line and "↑" not in line
    # every row of a table has as many cells as the table has columns
    for table in text.split(r"\begin{tabular}")[1:]:
        columns = len(table.split("}")[0].lstrip("{"))
        rows = [line for line in table.split(r"\end{tabular}")[0].splitlines() if line.endswith(r"\\")]
        assert {line.replace(r"\&", "").count("&") + 1 for line in rows} == {columns}


def test_json_holds_everything(result: AblationResult, plan: Plan) -> None:
    value = json.loads(to_json(result))
    assert value["ablation"] == plan.ablation.to_json()
    assert value["compared_to"] == "without_mask"
    second = value["variants"]["with_mask"]
    assert second["differences"]["image/psnr"]["images"] == 6
    assert second["published"]["image/fid"] == 153
    assert [run["folder"] for run in second["runs"]] == ["with_mask/seed_0", "with_mask/seed_1"]
    assert value["variants"]["failed_one"]["runs"][0] == {
        "seed": 0, "folder": "failed_one/seed_0", "status": "failed", "reason": "no <memory> | left",
        "seconds": 3.0, "where": "here", "checkpoint": None, "sha256": None, "trained_steps": None,
        "total_steps": None, "data": None, "step": None, "values": None, "seconds_per_image": None,
        "peak_memory": None,
        "stated": False,
        "unavailable": {},
    }  # fmt: skip
    assert value["bootstrap"] == {"draws": 10_000, "level": 0.95, "seed": 0}
    assert value["baselines"]["mean_color"]["values"] == BASELINES["mean_color"]
    assert value["environment"]["versions"]["torch"]


def test_the_tables_need_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, skinfw.cli.ablate, skinfw.ablation.page_files, skinfw.ablation.results; "
    code += "print([name for name in ('torch', 'cv2', 'matplotlib', 'ray') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"checkpoint": "last"},
            "seed 1 was measured with its last checkpoint, first seed 0 with its best one",
        ),
        ({"steps": 4}, "seed 1 was measured after 4 of 10 steps; resume it to the end"),
    ],
)
def test_a_run_that_was_measured_otherwise_is_not_ranked(
    planned: Callable[..., Plan], measure: Measure, changed: dict[str, Any], told: str
) -> None:
    plan = planned()
    for run in plan.runs:
        odd = run.variant == "second" and run.seed == 1
        measure(run, {"image/psnr": [20.0, 22.0, 24.0, 30.0 + odd]}, **(changed if odd else {}))
    result = collect(plan)
    assert result.variants[1].incomparable == told
    assert all(not each.differences for each in result.variants)
    assert "p =" not in to_markdown(result) and "PSNR: first," in summary(result)


def test_figures_of_other_parameters_have_no_difference(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    plan = planned()
    for run in plan.runs:
        band = 2 if run.variant == "first" else 8
        measure(run, {"image/psnr": [20.0, 22.0, 24.0, 30.0 + band]}, parameters={"band": band})
    result = collect(plan)
    assert result.warnings() == [
        "second: image PSNR: measured differently from first seed 0 (band); not ranked"
    ]
    assert result.variants[1].differences == {} and differences_table(result) is None
    assert not any(cell.best for _, cells in metrics_table(result).rows for cell in cells)
    assert "second" not in summary(result)


def test_a_figure_that_one_seed_lacks_is_not_ranked(planned: Callable[..., Plan], measure: Measure) -> None:
    plan = planned()
    for run in plan.runs:
        lacks = run.variant == "second" and run.seed == 1
        measure(run, {"image/psnr": [20.0] * 4}, values={"image/fid": None if lacks else 50.0 - run.seed})
    result = collect(plan)
    assert result.warnings() == ["second: image FID: has a value in 1 of 2 runs; not ranked"]
    assert result.variants[1].means.keys() == {"image/psnr"}


def test_means_over_other_seeds_are_not_ranked(planned: Callable[..., Plan], measure: Measure) -> None:
    plan = planned()
    for run in plan.runs[:3]:
        measure(run, {"image/psnr": [30.0 if run.variant == "second" else 20.0] * 4})
    result = collect(plan)
    seeds = [run.planned.seed for run in result.variants[0].runs]
    assert result.warnings() == [
        f"second: measured with the seeds {seeds[0]}, but first with {seeds[0]}, {seeds[1]}; not comparable",
        "second: 1 of 2 seeds done",
    ]
    assert result.variants[1].differences == {}
    assert not any(cell.best for _, cells in metrics_table(result).rows for cell in cells)


def test_a_size_that_proves_nothing_says_so_and_has_no_ranks_and_no_p(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    sizes = {"smoke": {"conclusive": False}, "full": {}}
    variants = {"without_mask": {"composite": "none"}, "with_mask": {}}
    texts = {}
    for size in sizes:
        plan = planned(sizes=sizes, size=size, published="mask", variants=variants)
        for run in plan.runs:
            better = 5.0 if run.variant == "with_mask" else 0.0
            images = {"image/psnr": [20.0 + better, 21.0 + better, 23.0 + better, 22.0 + better]}
            measure(run, images, baselines={"mean_color": {"image/psnr": 19.0}})
        result = collect(plan)
        texts[size] = [write(result) for write in (to_csv, to_markdown, to_tex)]
        marked = [cell.best for _, cells in metrics_table(result).rows for cell in cells]
        assert any(marked) == (size == "full")
        compared = [differences_table(result), published_comparison(result), orderings(result) or None]
        assert [each is None for each in compared] == [size == "smoke"] * 3
        shutil.rmtree(plan.output)
    nothing = "These results prove nothing: the size smoke only shows that every variant runs."
    assert nothing in texts["smoke"][1] and "bold" not in texts["smoke"][1]
    assert summary(result).startswith("Best mean image PSNR: with_mask")
    for smoke, full in zip(texts["smoke"][1:], texts["full"][1:], strict=True):
        for text, known in ((smoke, False), (full, True)):
            assert bool(re.search(r"\bp (=|<|\$<\$) ", text)) == ("interval" in text) == known
    row = list(csv.DictReader(io.StringIO(texts["smoke"][0])))[1]
    assert (row["image/psnr mean"], row["image/psnr p"], row["image/psnr low"]) == ("26.5", "", "")


def test_a_bias_of_the_other_sign_is_better_only_if_the_whole_interval_is_nearer_to_0(
    planned: Callable[..., Plan], measure: Measure
) -> None:
    plan = planned(seeds=[0])
    images = {"first": [-3.0, -3.0, -3.0, -3.0], "second": [1.5, 2.0, 4.0, 4.0]}  # the mean is 2.9
    for run in plan.runs:
        measure(run, {"skin/tone_bias": images[run.variant]})
    table = differences_table(collect(plan))
    assert table is not None
    ((_, (cell,)),) = table.rows
    words = re.fullmatch(r"\+5\.88 \[\+(.*), \+(.*)\], p < 0\.0002", cell.text)
    assert words is not None and 4.5 < float(words[1]) < 5.88 < 6 < float(words[2])
    assert not cell.best, "it may be farther from 0 than the reference"


@pytest.mark.parametrize(
    ("reference", "variant", "marked"), [(4.0, 1.0, True), (1.0, 4.0, False), (-4.0, -1.0, True)]
)
def test_a_difference_of_a_metric_with_a_sign_is_better_nearer_to_0(
    planned: Callable[..., Plan], measure: Callable[..., None], reference: float, variant: float, marked: bool
) -> None:
    plan = planned()
    for run in plan.runs:
        measure(run, {"skin/tone_bias": [reference if run.variant == "first" else variant] * 4})
    result = collect(plan)
    table = differences_table(result)
    assert table is not None
    ((_, (cell,)),) = table.rows
    assert (cell.text.partition(" ")[0], cell.best) == (f"{variant - reference:+.2f}", marked)
    rows = {name: cells[0] for name, cells in metrics_table(result).rows}
    assert rows["second"].best == marked and rows["first"].best != marked
    assert rows["second"].text == f"{variant:+.2f} ± 0.00"
