from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skinfw.evaluation.metric_tables import (
    Cell,
    Table,
    best_of,
    evaluation_table,
    masks_note,
    value_columns,
    value_heading,
    value_label,
    value_text,
)
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.reporting.tables import markdown_table, tex_table

DB = MetricInfo("dB", "higher")
ERROR = MetricInfo("", "lower")
BIAS = MetricInfo("L*", "zero")


def evaluation(
    values: dict[str, dict[str, float | None]], metrics: dict[str, MetricInfo], names: str = "abcdef"
) -> Evaluation:
    return Evaluation(
        split="test",
        step=1,
        names=list(names),
        metrics=metrics,
        values=values,
        per_image={inpainter: {} for inpainter in values},
        violations=dict.fromkeys(values, 0),
        seconds_per_image=dict.fromkeys(values, 0.0123),
    )


def test_names_and_units() -> None:
    assert value_label("skin/psnr") == "skin PSNR"
    assert value_label("image/ms_ssim") == "image MS-SSIM"
    assert value_label("image/ms_ssim_2") == "image MS-SSIM 2"
    assert value_label("skin/seam") == "skin seam"
    assert value_label("skin/of_a_plugin_3") == "skin of a plugin 3"
    assert value_heading("skin/psnr", DB) == "skin PSNR (dB) ↑"
    assert value_heading("image/mse", ERROR) == "image MSE ↓"


def test_values_that_print_alike_are_equally_good() -> None:
    rows = [{"skin/psnr": 20.001}, {"skin/psnr": 20.004}, {"skin/psnr": 19.99}, {"skin/psnr": 20.003}]
    cells = value_columns(rows, {"skin/psnr": DB}, [(), (), (), ("skin/psnr",)])
    assert [row[0].best for row in cells] == [True, True, False, False]


@pytest.mark.parametrize(
    ("value", "info", "text"),
    [
        (18.204, DB, "18.20"),
        (0.9, ERROR, "0.9000"),
        (163.24, ERROR, "163.2"),
        (0.000123456, ERROR, "0.0001235"),
        (12345.6, ERROR, "1.235e+04"),
        (None, DB, "n/a"),
        (1.5, BIAS, "+1.50"),
        (-1.5, BIAS, "-1.50"),
        (1.5, MetricInfo("", "zero"), "+1.500"),
    ],
)
def test_figures_as_text(value: float | None, info: Any, text: str) -> None:
    assert value_text(value, info) == text


def test_one_value_alone_is_not_the_best() -> None:
    assert best_of([1.0, None], DB) is None
    assert best_of([1.0, 2.0, None], DB) == 2.0
    assert best_of([1.0, 2.0], ERROR) == 1.0
    assert best_of([-3.0, 2.0, None, 4.0], BIAS) == 2.0
    assert best_of([-1.0, 2.0], BIAS) == -1.0


def test_the_table_marks_the_best_of_each_column() -> None:
    metrics = {"skin/psnr": DB, "skin/mse": ERROR}
    values: dict[str, dict[str, float | None]] = {
        "trained": {"skin/psnr": 18.2, "skin/mse": 0.02},
        "opencv_inpaint": {"skin/psnr": 15.1, "skin/mse": 0.01},
    }
    found = replace(evaluation(values, metrics), peak_memory={"trained": 1536 * 2**20})
    table = evaluation_table(found)
    assert table.columns[2:] == ["kept pixels changed", "ms per image", "peak MiB"]
    rows = {name: [(cell.text, cell.best) for cell in cells] for name, cells in table.rows}
    assert rows["trained"] == [
        ("18.20", True),
        ("0.02000", False),
        ("0", False),
        ("12.3", False),
        ("1,536", False),
    ]
    assert rows["opencv_inpaint"][-1] == ("-", False)
    assert rows["opencv_inpaint"][:2] == [("15.10", False), ("0.01000", True)]


def test_a_text_of_several_lines_stays_in_its_cell() -> None:
    table = Table("field", ["run"], [("a|b", [Cell("one\r\n\ntwo")])])
    assert markdown_table(table).splitlines()[2:] == ["| a\\|b | one   two |"]
    assert "\na$|$b & one   two \\\\\n" in tex_table(table, "caption")


def test_computed_masks_are_named() -> None:
    found = evaluation({"trained": {"skin/psnr": 18.2}}, {"skin/psnr": DB})
    assert masks_note(found) == ""
    assert masks_note(replace(found, computed_masks={"skin_color": 6})).startswith(
        "The masks of 6 images were computed (by skin_color), not drawn by a person"
    )
    assert masks_note(replace(found, names="abcd", computed_masks={"skin_color": 2, "parser": 1})).startswith(
        "The masks of 3 of 4 images were computed (by skin_color: 2, parser: 1), not drawn by a person"
    )
