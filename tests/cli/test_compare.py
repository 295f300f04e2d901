from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skinfw.cli import main
from skinfw.tasks.evaluate_run import evaluate_run


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def closed_pipe(*arguments: Any, **options: Any) -> None:
    raise BrokenPipeError


def test_runs_are_printed_and_written(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_run(tmp_path / "first", baselines=[])
    second = make_run(tmp_path / "second", composite="none", baselines=[])
    for run in (first, second):
        evaluate_run(run)
    done = compare(first.folder, second.folder, "--output", tmp_path / "table.md")
    assert done.exit_code == 0, done.output
    for part in (
        "skin PSNR (dB)", "first", "second", "Where the specs differ", "composite",
        "How each value was measured", "Measured with skinfw",
    ):  # fmt: skip
        assert part in done.output
    assert "Warning" not in done.output
    assert (
        "Not shown: " in done.output and "fields with the same value; --output writes them too" in done.output
    )
    assert "\nBy skin PSNR, second is equal to first." in done.stdout
    tables = [line for line in done.stdout.splitlines() if line[0] in "┏┃┡│└"]
    assert max(map(len, tables)) <= 80
    assert "| composite | skin | none |" in (tmp_path / "table.md").read_text(encoding="utf-8")
    monkeypatch.setattr("skinfw.reporting.console.print_table", closed_pipe)
    compare(first.folder, second.folder, "--output", tmp_path / "table.json")
    assert (tmp_path / "table.json").is_file()


def test_errors_are_told(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for arguments, told in (
        ([run.folder], "nothing to compare it with"),
        ([run.folder, run.folder], "run: has no metrics.json; measure it first"),
        ([run.folder, run.folder, "--output", "x.pdf"], "x.pdf: the name must end in .csv, .md or .json"),
    ):
        done = compare(*arguments)
        assert done.exit_code == 2
        assert told in done.output


def test_other_test_samples_are_warned_of(
    make_run: Callable[..., Any], tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    first = make_run(tmp_path / "first", baselines=[])
    data = {**tiny_spec()["data"], "test_fraction": 0.5}
    second = make_run(tmp_path / "second", data=data, baselines=[])
    for run in (first, second):
        evaluate_run(run)
    done = compare(first.folder, second.folder)
    assert done.exit_code == 0
    assert "Warning: not ranked:\n  second: measured on different test samples from first\n" in done.stderr
    assert done.stdout.count("not ranked") == 0 and "second (not comparable)" in done.stdout


def test_comparing_needs_no_torch() -> None:
    code = "import sys, skinfw.cli.compare, skinfw.reporting.comparison, skinfw.reporting.console; "
    code += "assert not {'torch', 'cv2', 'matplotlib'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
