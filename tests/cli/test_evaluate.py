from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from skinfw.cli import main
from skinfw.errors import DataError
from skinfw.runs import checkpoints
from skinfw_plugins.generators.mean_color import MeanColorGenerator


def test_a_run_is_measured_again(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    done = CliRunner().invoke(main, ["evaluate", str(run.folder), "--checkpoint", "last", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    record = json.loads(run.metrics_path.read_text(encoding="utf-8"))
    assert record["checkpoint"]["which"] == "last"
    assert f"{record['test']['values']['mean_color']['skin/psnr']:.2f}" in done.output
    assert "the trained generator reaches skin PSNR" in done.output
    assert f"Report: {run.report_path}" in done.output
    for part in (
        "How each value was measured",
        "Measured with skinfw",
        "typology angle",
        "trained",
        "(few)",
    ):
        assert part in done.output
    tables = [line for line in done.output.splitlines() if line.startswith(("│", "┃"))]
    assert tables and max(map(len, tables)) <= 80
    assert run.report_path.is_file()


def test_a_baseline_that_cannot_paint_is_told_with_its_reason(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(*_: Any) -> None:
        raise DataError("nobody knows the face")

    monkeypatch.setattr(MeanColorGenerator, "forward", reject)
    run = make_run(tmp_path / "run")
    done = CliRunner().invoke(main, ["evaluate", str(run.folder), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "Without a value: mean_color: nobody knows the face" in done.output
    assert "<strong>mean_color</strong>: nobody knows the face" in run.report_path.read_text(encoding="utf-8")


def test_a_folder_without_a_run_or_a_checkpoint_is_told(make_run: Callable[..., Any], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["evaluate", str(tmp_path / "nothing")])
    assert done.exit_code == 2
    assert "no such folder; give a run folder" in done.output
    run = make_run(tmp_path / "run")
    run.checkpoint("best").unlink()
    done = CliRunner().invoke(main, ["evaluate", str(run.folder)])
    assert done.exit_code == 2
    assert "no such checkpoint" in done.output


def test_a_missing_plugin_is_named(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "providers", lambda spec: {"generator/ghost": "spooky-nets 1.2"})
        run = make_run(tmp_path / "run")
    done = CliRunner().invoke(main, ["evaluate", str(run.folder)])
    assert done.exit_code == 2
    assert "generator ghost of spooky-nets 1.2, which is not installed" in done.output
    assert not run.metrics_path.exists()
