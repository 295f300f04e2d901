"""Files that skinfw wrote and somebody changed since: one short error, or as if they were not there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from skinfw.ablation.process import Outcome, read_outcome
from skinfw.components.registry import Registry, load_registry
from skinfw.data.sample_folder import read_record
from skinfw.errors import DataError, SkinfwError
from skinfw.evaluation.evaluated_run import read_evaluated_run
from skinfw.evaluation.metric_tables import Cell, Table
from skinfw.reporting.console import print_table

NO_JSON = [b"", b"{", b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"NaN", b"[]", b"null", b"5" * 5000]


def told(error: BaseException) -> str:
    text = str(error)
    assert len(text) < 2500 and text.replace("\n", "").isprintable()
    return text


@pytest.mark.parametrize(
    "data",
    [
        *NO_JSON,
        b'{"classes": 5}',
        b'{"classes": ["a", 5]}',
        b'{"classes": {"a": 1}}',
        json.dumps({"classes": ["x"] * 257}).encode(),
        b'{"regions": []}',
        b'{"regions": {"skin": 5}}',
        b'{"group": ["a"]}',
        b'{"source": 5}',
        b'{"facts": []}',
        json.dumps({"regions": {"\x1b[2J" + "x" * 100_000: 5}}).encode(),
    ],
)
def test_a_changed_record_of_a_sample(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "sample.json").write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_record(tmp_path)
    assert "prepare the sample again" in told(caught.value)


def test_a_record_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sample.json")
    with pytest.raises(DataError, match="a FIFO"):
        read_record(tmp_path)


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """What metrics.json of a tiny run holds."""
    values = {"image/psnr": 20.0}
    test = {
        "split": "test", "step": 3, "names": ["a"],
        "metrics": {"image/psnr": {"unit": "dB", "direction": "higher"}},
        "values": {"trained": values}, "per_image": {"trained": {"image/psnr": [20.0]}},
        "violations": {"trained": 0}, "seconds_per_image": {"trained": 0.1},
    }  # fmt: skip
    training = {"step": 3, "total_steps": 3, "epochs": None, "steps": 3}
    checkpoint = {"which": "best", "sha256": "0" * 64}
    return {"checkpoint": checkpoint, "training": training, "data": "x", "versions": {}, "test": test}


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("test", None),
        ("test", []),
        ("test.values", []),
        ("test.values", {}),
        ("test.per_image", {}),
        ("test.per_image.trained", {"image/psnr": []}),
        ("test.per_image", {"trained": {}, "mean_color": {"image/psnr": [1.0, 2.0]}}),
        ("test.values.trained", {"image/psnr": "20"}),
        ("test.values.trained", {"image/psnr": {}}),
        ("test.metrics", {"image/psnr": 5}),
        ("test.metrics", {"image/psnr": {"unit": 5, "direction": "up"}}),
        ("test.metrics", {"image/" + "x" * 100_000: {"unit": "dB", "direction": "higher"}}),
        ("test.names", 5),
        ("test.step", "many"),
        ("test.tones", [5]),
        ("test.tones", [None, None]),
        ("test.evil", 5),
        ("checkpoint", 5),
        ("checkpoint.which", []),
        ("training", None),
        ("training.step", "many"),
        ("data", []),
        ("versions", [1]),
    ],
)
def test_changed_metrics(tmp_path: Path, measured: dict[str, Any], path: str, new: Any) -> None:
    value = json.loads(json.dumps(measured))
    (tmp_path / "spec.json").write_text("{}")
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(value))
    assert read_evaluated_run(tmp_path, "run").values == {"image/psnr": 20.0}
    *parents, last = path.split(".")
    holder = value
    for name in parents:
        holder = holder[name]
    holder[last] = new
    file.write_text(json.dumps(value))
    with pytest.raises(SkinfwError) as caught:
        read_evaluated_run(tmp_path, "run")
    assert str(file) in told(caught.value)


@pytest.mark.parametrize("data", NO_JSON)
def test_metrics_that_are_no_json(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "spec.json").write_text("{}")
    (tmp_path / "metrics.json").write_bytes(data)
    with pytest.raises(SkinfwError) as caught:
        read_evaluated_run(tmp_path, "run")
    assert "metrics.json" in told(caught.value)


@pytest.mark.parametrize(
    "data", [*NO_JSON, b'{"ending": "done"}', b'{"ending": 5, "reason": 1, "seconds": "x", "where": 2}']
)
def test_a_changed_outcome_counts_as_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "seed_0.outcome.json").write_bytes(data)
    assert read_outcome(tmp_path / "seed_0") is None


def test_an_outcome_is_read(tmp_path: Path) -> None:
    value = {"ending": "done", "reason": "", "seconds": 1.5, "where": "here"}
    (tmp_path / "seed_0.outcome.json").write_text(json.dumps(value))
    assert read_outcome(tmp_path / "seed_0") == Outcome("done", "", 1.5, "here")


@pytest.mark.parametrize(
    "text",
    [
        "[[component",
        "component = 5",
        "a = " + "[" * 100_000,
        "a = " + "9" * 5000,
        "[[component]]\n" + "\n".join(f"k{number} = 1" for number in range(20_000)),
        '[[component]]\nkind = "' + "x" * 100_000 + '"',
        "[[component]]\nkind = [1]",
    ],
)
def test_a_manifest_that_somebody_broke_is_a_problem(text: str) -> None:
    registry = Registry()
    registry.add_manifest(text, "their-plugin 1")
    (problem,) = registry.problems
    assert len(str(problem)) < 3000 and not registry.entries


def test_manifests_are_read_from_regular_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "registry.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    monkeypatch.setenv(
        "SKINFW_REGISTRIES", f"{tmp_path / 'registry.toml'}{os.pathsep}{tmp_path / 'zero.toml'}"
    )
    problems = [str(problem) for problem in load_registry().problems]
    assert any("a FIFO" in each for each in problems) and any("a device" in each for each in problems)


def test_names_in_tables_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Table("run", ["\x1b]0;column\x07"], [("\x1b[2Jname", [Cell("\x1b[31mred")])]))
    assert "\x1b" not in capsys.readouterr().out
