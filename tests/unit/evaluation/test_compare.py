from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from skinfw.errors import RunError, UserError
from skinfw.evaluation.compare import compare_runs
from skinfw.evaluation.evaluated_run import flat
from skinfw.evaluation.results import Cost, Evaluation, MetricInfo
from skinfw.reporting.comparison import to_csv, to_json, to_markdown, write_comparison


def run_folder(
    root: Path,
    name: str,
    values: dict[str, float | None],
    *,
    data: str = "d1",
    names: Any = ("a", "b"),
    metadata: dict[str, str] | None = None,
    versions: dict[str, str] | None = None,
    parameters: dict[str, Any] | None = None,
    checkpoint: str = "best",
    training: tuple[int, int | None] = (2400, 2400),
    per_image: dict[str, list[float | None]] | None = None,
    baselines: dict[str, tuple[float, float, int | None]] | None = None,
    device: str = "cpu",
    **spec: Any,
) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    others = baselines or {}  # value of every metric, seconds and memory
    found = Evaluation(
        split="test",
        step=1200,
        names=list(names),
        metrics={key: MetricInfo("dB", "higher", metadata or {}, parameters or {}) for key in values},
        values={"trained": values, **{name: dict.fromkeys(values, of[0]) for name, of in others.items()}},
        per_image={"trained": per_image or {}, **{name: {} for name in others}},
        violations={"trained": 0, **dict.fromkeys(others, 0)},
        seconds_per_image={"trained": 0.01, **{name: of[1] for name, of in others.items()}},
        peak_memory={"trained": 3 * 2**20, **{name: of[2] for name, of in others.items()}},
        device=device,
    )
    record: dict[str, Any] = {
        "checkpoint": {"which": checkpoint, "step": 1200, "sha256": "0" * 64},
        "training": {"step": training[0], "total_steps": training[1], "epochs": None, "steps": 2400},
        "data": data,
        "test": found.to_json(),
    }
    spec = {"training": {"epochs": None, "steps": 2400}, **spec}
    if versions is not None:
        record["versions"] = versions
    (folder / "metrics.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "spec.json").write_text(json.dumps({"name": name, **spec}), encoding="utf-8")
    return folder


def two(root: Path) -> list[Path]:
    losses = [{"type": "l1", "weight": 100}]
    return [
        run_folder(root, "one", {"skin/psnr": 20.25}, seed=0, losses=losses, betas=[0.5, 0.999]),
        run_folder(
            root, "two", {"skin/psnr": 21.5, "skin/x|y": None},
            seed=0, losses=[*losses, {"type": "gan"}], betas=[0.9, 0.999], composite="skin",
        ),
    ]  # fmt: skip


def test_the_best_figure_of_each_column_is_marked(tmp_path: Path) -> None:
    table = compare_runs(two(tmp_path)).table()
    assert table.columns[0] == "skin PSNR (dB) ↑"
    cells = {name: [(cell.text, cell.best) for cell in row[:2]] for name, row in table.rows}
    assert cells == {
        "one": [("20.25", False), ("n/a", False)],
        "two": [("21.50", True), ("n/a", False)],
    }


@pytest.mark.parametrize(
    ("second", "verdict"),
    [([20.1, 21.1, 22.0] * 3, "better"), ([21.0, 20.1, 22.1] * 3, "no clear difference")],
)
def test_a_run_is_better_only_if_the_images_show_it(
    tmp_path: Path, second: list[float], verdict: str
) -> None:
    """The means differ by 0.067 dB on nine images."""
    for name, images in (("one", [20.0, 21.0, 22.0] * 3), ("two", second)):
        mean = sum(images) / 9
        run_folder(tmp_path, name, {"skin/psnr": mean}, names="abcdefghi", per_image={"skin/psnr": [*images]})
    run_folder(tmp_path, "other", {"skin/psnr": 30.0}, names="xyz")
    found = compare_runs([tmp_path / name for name in ("one", "two", "other")])
    assert found.summary() == f"By skin PSNR, two is 0.07 dB above one ({verdict})."
    assert found.summary() in to_markdown(found) and json.loads(to_json(found))["summary"] == found.summary()
    alone = compare_runs([tmp_path / name for name in ("one", "other")])
    assert alone.summary() == ""


def test_few_images_do_not_show_which_run_is_better(tmp_path: Path) -> None:
    assert compare_runs(two(tmp_path)).summary() == (
        "By skin PSNR, two is 1.25 dB above one. Fewer than 6 images do not show which run is better."
    )


def test_time_and_memory_are_in_the_table(tmp_path: Path) -> None:
    table = compare_runs(two(tmp_path)).table()
    for _, cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        assert (row["ms per image"].text, row["peak MiB"].text) == ("10.0", "3")


def test_a_baseline_of_several_runs_has_the_mean_time_and_the_largest_memory(tmp_path: Path) -> None:
    one = run_folder(tmp_path, "one", {"skin/psnr": 20.0}, baselines={"flat": (10.0, 0.1, 2**20)})
    two = run_folder(tmp_path, "two", {"skin/psnr": 21.0}, baselines={"flat": (10.0, 0.3, 3 * 2**20)})
    compared = compare_runs([one, two])
    (flat,) = compared.baselines
    assert flat.cost == Cost(pytest.approx(0.2), 3 * 2**20)
    # what it took on another machine does not count
    three = run_folder(
        tmp_path, "three", {"skin/psnr": 22.0}, baselines={"flat": (10.0, 0.001, 2**30)}, device="cuda"
    )
    (same,) = compare_runs([one, two, three]).baselines
    assert same.cost == flat.cost
    label, cells = compared.table().rows[-1]
    assert label == "flat (baseline)"
    assert [cell.text for cell in cells][2:4] == ["200.0", "3"]


def test_baselines_stand_beside_the_runs_with_time_and_memory(tmp_path: Path) -> None:
    same = {"mean_color": (30.0, 0.002, 2**20), "other": (10.0, 2.0, None)}
    one = run_folder(tmp_path, "one", {"skin/psnr": 20.0}, baselines=same)
    two = run_folder(
        tmp_path, "two", {"skin/psnr": 21.0}, baselines={**same, "other": (12.0, 1.5, 5 * 2**20)}
    )
    # its weights do not count, but those of its baselines are none
    last = run_folder(
        tmp_path, "last", {"skin/psnr": 22.0}, checkpoint="last", baselines={"late": (40.0, 1, None)}
    )
    elsewhere = run_folder(
        tmp_path, "elsewhere", {"skin/psnr": 23.0}, data="d2", baselines={"mean_color": (50.0, 1, None)}
    )
    comparison = compare_runs([one, two, last, elsewhere])
    table = comparison.table()
    places = [table.columns.index(name) for name in ("ms per image", "peak MiB", "step")]
    rows = {
        name: (cells[0].text, cells[0].best, *(cells[at].text for at in places)) for name, cells in table.rows
    }
    assert list(rows)[:4] == ["one", "two", "last (not comparable)", "elsewhere (not comparable)"]
    assert {name: row for name, row in rows.items() if "baseline" in name} == {
        "mean_color of one (baseline)": ("30.00", False, "2.0", "1", "-"),
        "mean_color of elsewhere (baseline) (not comparable)": ("50.00", False, "1000.0", "-", "-"),
        "other of one (baseline)": ("10.00", False, "2000.0", "-", "-"),
        "other of two (baseline)": ("12.00", False, "1500.0", "5", "-"),
        "late (baseline)": ("40.00", True, "1000.0", "-", "-"),
    }
    assert comparison.warnings() == [
        "last: measured with its last checkpoint, one with its best one",
        "elsewhere: measured on different data from one",
    ]
    lines = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert [(row["run"], row["kind"]) for row in lines[3:6]] == [
        ("elsewhere", "run"), ("mean_color of one", "baseline"), ("mean_color of elsewhere", "baseline"),
    ]  # fmt: skip
    assert (lines[0]["seconds_per_image"], lines[0]["peak_memory"]) == ("0.01", str(3 * 2**20))
    assert (lines[4]["skin/psnr"], lines[4]["seconds_per_image"]) == ("30.0", "0.002")
    value = json.loads(to_json(comparison))
    assert value["runs"][0]["peak_memory"] == 3 * 2**20
    assert [each["run"] for each in value["baselines"]] == ["one", "elsewhere", "one", "two", "last"]
    assert value["baselines"][3]["peak_memory"] == 5 * 2**20
    assert value["baselines"][1]["not_comparable"] == "measured on different data from one"


def test_fields_that_differ_are_listed_and_others_are_not(tmp_path: Path) -> None:
    assert compare_runs(two(tmp_path)).differences() == {
        "betas": ["[0.5, 0.999]", "[0.9, 0.999]"],
        "losses.1.type": ["absent", "gan"],
        "composite": ["absent", "skin"],
    }


def test_a_run_without_metrics_is_refused_by_name(tmp_path: Path) -> None:
    folders = two(tmp_path)
    (folders[1] / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"two: has no metrics\.json; measure it first"):
        compare_runs(folders)
    with pytest.raises(RunError, match=r"nowhere: no such folder; give a run folder"):
        compare_runs([folders[0], tmp_path / "nowhere"])
    (folders[1] / "metrics.json").write_text("[]", encoding="utf-8")
    with pytest.raises(RunError, match="does not contain the results of a run"):
        compare_runs(folders)


def test_other_samples_and_other_data_are_warned_of(tmp_path: Path) -> None:
    first = run_folder(tmp_path, "a", {"skin/psnr": 1.0})
    other_data = run_folder(tmp_path, "b", {"skin/psnr": 1.0}, data="d2")
    other_names = run_folder(tmp_path, "c", {"skin/psnr": 1.0}, names=("z",))
    assert compare_runs([first, other_data, other_names]).warnings() == [
        "b: measured on different data from a",
        "c: measured on different test samples from a",
    ]
    assert compare_runs([first, first]).warnings() == []


def test_names_need_not_be_utf8_and_a_record_may_lack_violations(tmp_path: Path) -> None:
    folders = [run_folder(tmp_path, name, {"skin/psnr": 1.0}, names=("caf\udce9",)) for name in "ab"]
    path = folders[1] / "metrics.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["test"]["violations"] = {}
    path.write_text(json.dumps(record), encoding="utf-8")
    record = json.loads((folders[0] / "metrics.json").read_text(encoding="utf-8"))
    record["test"]["violations"] = {"trained": 3}
    (folders[0] / "metrics.json").write_text(json.dumps(record), encoding="utf-8")
    comparison = compare_runs(folders)
    assert comparison.warnings() == []
    assert [row[1].text for _, row in comparison.table().rows] == ["3", "0"]


def test_how_figures_came_about_is_told_and_warned_of(tmp_path: Path) -> None:
    cards = [{"net": "A", "warnings": "few"}, {"net": "B"}, {"net": "A"}]
    folders = [
        run_folder(
            tmp_path, f"r{index}", {"skin/psnr": 1.0},
            metadata=card, versions={"torch": f"2.{index}", "lpips": "0.1.4"},
        )
        for index, card in enumerate(cards)
    ]  # fmt: skip
    comparison = compare_runs(folders)
    assert comparison.warnings() == ["r1: skin PSNR: measured differently from r0 (net)"]
    text = to_markdown(comparison)
    assert "| metric | region | images | net | warnings |" in text
    assert "| PSNR | skin | over all 2 images at once | r0: A; r1: B; r2: A | r0: few |" in text
    assert "Measured with torch r0: 2.0; r1: 2.1; r2: 2.2, lpips 0.1.4." in text
    value = json.loads(to_json(comparison))
    assert value["runs"][1]["metadata"] == {"skin/psnr": {"net": "B"}}
    assert value["runs"][1]["versions"] == {"torch": "2.1", "lpips": "0.1.4"}


def test_records_without_versions_are_read(tmp_path: Path) -> None:
    comparison = compare_runs(two(tmp_path))
    assert comparison.versions() == {}
    assert "Measured with" not in to_markdown(comparison)


def test_runs_of_one_name_are_told_apart_by_their_path(tmp_path: Path) -> None:
    folders = [run_folder(tmp_path / place, "same", {"skin/psnr": 1.0}) for place in ("x", "y")]
    assert [run.label for run in compare_runs(folders).runs] == [str(folder) for folder in folders]


def test_csv_holds_full_precision_and_the_differences(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(compare_runs(two(tmp_path))))))
    assert [row["run"] for row in rows] == ["one", "two"]
    assert [float(row["skin/psnr"]) for row in rows] == [20.25, 21.5]
    assert [row["skin/x|y"] for row in rows] == ["", ""]
    assert [row["losses.1.type"] for row in rows] == ["absent", "gan"]
    assert [row["step"] for row in rows] == ["1200", "1200"]


def test_markdown_marks_the_best_and_escapes_bars(tmp_path: Path) -> None:
    text = to_markdown(compare_runs(two(tmp_path)))
    assert "| two | **21.50** | n/a |" in text
    shown, _, folded = text.partition("<details><summary>5 fields with the same value</summary>")
    assert "| composite | absent | skin |" in shown and "Not ranked" not in shown
    assert "| seed | 0 |" in folded and folded.rstrip().endswith("</details>")
    assert "skin x\\|y" in text
    widths = {line.replace("\\|", "").count("|") for line in text.split("\n\n")[0].splitlines()}
    assert len(widths) == 1


def test_json_holds_everything(tmp_path: Path) -> None:
    value = json.loads(to_json(compare_runs(two(tmp_path))))
    assert value["runs"][1]["values"] == {"skin/psnr": 21.5, "skin/x|y": None}
    assert value["differences"]["losses.1.type"] == {"one": None, "two": "gan"}
    assert value["metrics"]["skin/psnr"] == {"unit": "dB", "direction": "higher"}


def test_the_ending_says_how_it_is_written(tmp_path: Path) -> None:
    comparison = compare_runs(two(tmp_path))
    for suffix, start in ((".csv", "run,"), (".MD", "| run |"), (".json", "{")):
        path = tmp_path / f"table{suffix}"
        write_comparison(comparison, path)
        assert path.read_text(encoding="utf-8").startswith(start)
    with pytest.raises(UserError, match=r"table\.pdf: .*\.csv, \.md or \.json"):
        write_comparison(comparison, tmp_path / "table.pdf")


def test_another_checkpoint_is_not_ranked(tmp_path: Path) -> None:
    runs = [
        run_folder(tmp_path, "last", {"skin/psnr": 30.0}, checkpoint="last"),
        run_folder(tmp_path, "one", {"skin/psnr": 20.0}),
        run_folder(tmp_path, "two", {"skin/psnr": 21.0}),
    ]
    comparison = compare_runs(runs)
    assert comparison.warnings() == ["last: measured with its last checkpoint, one with its best one"]
    cells = {name: (row[0].text, row[0].best) for name, row in comparison.table().rows}
    assert cells == {
        "last (not comparable)": ("30.00", False),
        "one": ("20.00", False),
        "two": ("21.00", True),
    }
    value = json.loads(to_json(comparison))
    assert [run["not_comparable"] is None for run in value["runs"]] == [False, True, True]
    # runs that were all measured alike are ranked
    assert compare_runs([runs[0], runs[0]]).warnings() == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"training": (700, 2400)}, "a: measured after 700 of 2,400 steps; resume it to the end"),
        ({"spec": 9000}, "a: extended after it was measured; resume it to the end"),
    ],
)
def test_runs_that_are_not_finished_are_not_ranked(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    folder = run_folder(tmp_path, "a", {"skin/psnr": 30.0}, training=changed.get("training", (2400, 2400)))
    if "spec" in changed:
        longer = {"name": "a", "training": {"epochs": None, "steps": changed["spec"]}}
        (folder / "spec.json").write_text(json.dumps(longer), encoding="utf-8")
    finished = [
        run_folder(tmp_path, name, {"skin/psnr": value}) for name, value in (("b", 20.0), ("c", 19.0))
    ]
    comparison = compare_runs([folder, *finished])
    assert comparison.warnings() == [told]
    assert [row[0].best for _, row in comparison.table().rows] == [False, True, False]


@pytest.mark.parametrize("field", ["garment_margin", "mask_margin"])
def test_figures_with_other_masks_are_not_ranked(tmp_path: Path, field: str) -> None:
    one = run_folder(tmp_path, "one", {"skin/psnr": 20.0})
    two = run_folder(tmp_path, "two", {"skin/psnr": 30.0})
    spec = json.loads((two / "spec.json").read_text(encoding="utf-8"))
    margin = {field: [0.05, 0.1] if field == "garment_margin" else 3}
    (two / "spec.json").write_text(json.dumps({**spec, "data": margin}), encoding="utf-8")
    comparison = compare_runs([one, two])
    assert comparison.warnings() == [f"two: measured with other masks than one (data.{field})"]
    assert not any(row[0].best for _, row in comparison.table().rows)


def test_figures_of_other_parameters_are_not_ranked_and_the_others_are(tmp_path: Path) -> None:
    values = {"skin/seam": 3.0, "skin/psnr": 20.0}
    one = run_folder(tmp_path, "one", values, parameters={"type": "seam", "band": 2})
    two = run_folder(tmp_path, "two", {"skin/seam": 4.0}, parameters={"type": "seam", "band": 8})
    three = run_folder(tmp_path, "three", {"skin/psnr": 22.0}, parameters={"type": "seam", "band": 2})
    comparison = compare_runs([one, two, three])
    assert comparison.warnings() == ["two: skin seam: measured differently from one (band)"]
    rows = dict(comparison.table().rows)
    assert rows["two"][0].text == "4.00†" and not rows["one"][0].best
    assert rows["three"][1].best
    assert "Not ranked:\n\n- two: skin seam: measured differently from one (band)" in to_markdown(comparison)


def test_means_over_other_images_are_not_ranked(tmp_path: Path) -> None:
    known: list[float | None] = [20.0, 10.0]
    one = run_folder(tmp_path, "one", {"x/m": 15.0}, names="ab", per_image={"x/m": known})
    two = run_folder(tmp_path, "two", {"x/m": 20.0}, names="ab", per_image={"x/m": [20.0, None]})
    comparison = compare_runs([one, two])
    assert comparison.warnings() == ["two: x m: has a value for 1 of 2 images, one for 2"]
    assert not any(row[0].best for _, row in comparison.table().rows)


def test_parameters_of_components_of_different_types_are_folded(tmp_path: Path) -> None:
    nets = [{"type": "unet", "depth": 5, "norm": "batch"}, {"type": "lama", "norm": "group"}]
    folders = [
        run_folder(tmp_path, name, {"skin/psnr": 1.0}, generator=net, seed=0)
        for name, net in zip("ab", nets, strict=True)
    ]
    comparison = compare_runs(folders)
    assert comparison.shown_differences() == {"generator.type": ["unet", "lama"]}
    assert list(comparison.differences()) == ["generator.type", "generator.depth", "generator.norm"]
    assert comparison.common_fields() == {"training.epochs": "null", "training.steps": "2400", "seed": "0"}
    assert comparison.folded_text() == (
        "2 parameters of components of different types, 3 fields with the same value"
    )
    text = to_markdown(comparison)
    assert "depth" not in text.partition("<details>")[0] and "| generator.depth | 5 | absent |" in text
    # the same type: its parameters are what differs
    same = run_folder(tmp_path, "c", {"skin/psnr": 1.0}, generator={**nets[0], "depth": 7}, seed=0)
    assert compare_runs([folders[0], same]).shown_differences() == {"generator.depth": ["5", "7"]}


@pytest.mark.parametrize("empty", [None, []])
def test_what_is_empty_in_one_spec_shows_once(tmp_path: Path, empty: list[Any] | None) -> None:
    values = {"skin/psnr": 1.0}
    folders = [
        run_folder(tmp_path, "a", values, augmentations=empty),
        run_folder(tmp_path, "b", values, augmentations=[{"type": "flip", "probability": 0.5}]),
    ]
    assert compare_runs(folders).shown_differences() == {"augmentations.0.type": ["absent", "flip"]}
    # False and 0 are values
    off = run_folder(tmp_path, "off", values, augmentations=False)
    assert compare_runs([off, folders[1]]).differences()["augmentations"] == ["false", "absent"]
    # names alone are values
    names = run_folder(tmp_path, "c", values, augmentations=["flip"])
    assert compare_runs([names, folders[1]]).differences()["augmentations"] == ['["flip"]', "absent"]


def test_warnings_with_one_reason_are_one(tmp_path: Path) -> None:
    values = {"skin/psnr": 20.0, "image/psnr": 30.0}
    one = run_folder(tmp_path, "one", values, metadata={"net": "A"})
    two = run_folder(tmp_path, "two", values, metadata={"net": "B"})
    assert compare_runs([one, two]).warnings() == [
        "two: skin PSNR, image PSNR: measured differently from one (net)"
    ]


def test_components_without_parameters_count_as_their_names() -> None:
    names, objects = ["a", "b"], [{"type": "a"}, {"type": "b"}]
    assert flat({"inputs": objects}) == flat({"inputs": names}) == {"inputs": names}
    mixed = {"inputs": [{"type": "a"}, {"type": "b", "x": 1}]}
    assert flat(mixed) == {"inputs.0.type": "a", "inputs.1.type": "b", "inputs.1.x": 1}
