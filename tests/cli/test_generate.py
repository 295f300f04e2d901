from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from skinfw.cli import main

Make = Callable[..., Any]


def generate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["generate", *map(str, arguments), "--device", "cpu"])


def test_samples_are_painted_once_and_replaced_when_asked(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    write_samples(tmp_path / "in", ["a", "b"], body=False)
    done = generate(run.folder, tmp_path / "in", tmp_path / "out", "--batch-size", "1")
    assert done.exit_code == 0, done.output
    assert f"2 images in {tmp_path / 'out'}" in done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "b.png"}
    again = generate(run.folder, tmp_path / "in", tmp_path / "out")
    assert again.exit_code == 2
    assert "--overwrite" in again.output
    assert generate(run.folder, tmp_path / "in", tmp_path / "out", "--overwrite").exit_code == 0


def test_a_run_folder_may_end_like_an_exported_file(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "a.onnx")
    write_samples(tmp_path / "in", ["a"], body=False)
    done = generate(run.folder, tmp_path / "in", tmp_path / "out")
    assert done.exit_code == 0, done.output


def test_a_corrupt_sample_is_named_and_exits_with_2(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    folders = write_samples(tmp_path / "in", ["a", "b"])
    (folders[0] / "line.png").write_bytes(b"no image")
    done = generate(run.folder, tmp_path / "in", tmp_path / "out")
    assert done.exit_code == 2
    assert str(folders[0] / "line.png") in done.output
    assert "Traceback" not in done.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_an_input_without_samples_is_told(make_run: Make, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    done = generate(run.folder, tmp_path / "empty", tmp_path / "out")
    assert done.exit_code == 2
    assert "it contains no sample" in done.output
