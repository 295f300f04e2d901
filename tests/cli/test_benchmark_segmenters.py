from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner
from drawn_photos import write_drawn_photo
from onnx_models import write_bodypix
from PIL import Image

from skinfw.cli import main
from skinfw.cli.measured import report_results
from skinfw.evaluation.metric_tables import Table


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for seed in range(3):
        write_drawn_photo(tmp_path / "photos" / f"{seed}.png", seed)
    return tmp_path / "photos"


def test_a_table_and_a_file(photos: Path, tmp_path: Path) -> None:
    weights = write_bodypix(tmp_path / "bodypix.onnx", stride=8)
    bodypix = json.dumps({"type": "bodypix", "weights": str(weights), "resolution": 97, "threshold": 0.3})
    output = tmp_path / "results.json"
    arguments = [
        "--segmenter",
        "deepfashion",
        "--segmenter",
        bodypix,
        "--limit",
        "2",
        "--output",
        str(output),
    ]
    done = CliRunner().invoke(main, ["benchmark-segmenters", str(photos), *arguments])
    assert done.exit_code == 0, done.output
    results = json.loads(output.read_text())
    ours, theirs = results["deepfashion"], results[next(name for name in results if name != "deepfashion")]
    # a segmenter that is measured against itself is right everywhere
    assert {value for value in ours["mean"].values() if value is not None} == {1.0}
    assert theirs["mean"]["skin"] is None and 0 < theirs["mean"]["person"] < 1
    assert ours["photos"] == theirs["photos"] == 2 and ours["memory"] > 10
    assert "1.000 (1.000)" in done.output and "n/a" in done.output


def test_one_segmenter_and_misaligned_true_label_maps(tmp_path: Path) -> None:
    for seed in range(8):
        photo = write_drawn_photo(tmp_path / f"{seed}.png", seed)
        labels = photo.with_name(f"{seed}_segment.png")
        Image.fromarray(np.roll(np.asarray(Image.open(labels)), 2, 0)).save(labels)
    done = CliRunner().invoke(main, ["benchmark-segmenters", str(tmp_path), "--segmenter", "deepfashion"])
    assert done.exit_code == 0, done.output
    assert "the label maps are misaligned, 2 pixels too low; set" in done.stderr
    assert "different photos" not in done.stdout


def test_without_segmenters_those_that_can_run_are_measured(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mobilenet_v1_050_stride8.onnx").write_bytes(b"another file")
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    output = tmp_path / "results.json"
    done = CliRunner().invoke(
        main, ["benchmark-segmenters", str(photos), "--limit", "1", "--output", str(output)]
    )
    assert done.exit_code == 0, done.output
    for name in ("bodypix", "skin_color", "label_map", "onnx_parser"):
        assert f"skipping {name}: " in done.stderr
    # haar needs nothing, and feet take the label maps
    assert list(json.loads(output.read_text())) == ["haar", "feet"]


def test_the_file_is_written_before_the_table_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Measured:
        unusable: ClassVar[dict[str, str]] = {}

        def to_json(self) -> dict[str, int]:
            return {"photos": 1}

    def closed_pipe(*arguments: Any, **options: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("skinfw.reporting.console.print_table", closed_pipe)
    with pytest.raises(BrokenPipeError):
        report_results({"haar": Measured()}, Table("", (), ()), tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text()) == {"haar": {"photos": 1}}


def test_errors_of_the_user(photos: Path, tmp_path: Path) -> None:
    def told(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["benchmark-segmenters", *arguments])
        assert done.exit_code == 2, done.output
        return done.output

    assert "did you mean 'bodypix'" in told(str(photos), "--segmenter", "bodypicks")
    assert "no such folder" in told(str(tmp_path / "no"), "--segmenter", "deepfashion")
    missing = '{"type": "bodypix", "weights": "/nowhere/a.onnx"}'
    assert "no such ONNX file" in told(str(photos), "--segmenter", missing)
