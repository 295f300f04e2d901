"""``skinfw repair`` from label maps that are given, so no weights are needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from try_on import SEGMENTER, draw_person, try_on, write_pair

from skinfw.cli import main
from skinfw.runs.folder import Run


def repair(*arguments: object, segmenter: dict[str, Any] | str = SEGMENTER) -> Result:
    text = segmenter if isinstance(segmenter, str) else json.dumps(segmenter)
    return CliRunner().invoke(main, ["repair", *map(str, arguments), "--segmenter", text])


def table(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "out" / "repaired.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def pair(tmp_path: Path) -> list[object]:
    write_pair(tmp_path, "anna")
    return ["--person", tmp_path / "photos", "--result", tmp_path / "results", "-o", tmp_path / "out"]


def test_restore_without_a_model(tmp_path: Path, pair: list[object]) -> None:
    result = repair(*pair, "--only", "restore")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"1 repaired, 0 kept, 0 failed, in {tmp_path / 'out'}"
    kinds = np.asarray(Image.open(tmp_path / "out" / "provenance" / "anna.png"))
    image = np.asarray(Image.open(tmp_path / "out" / "anna.png"))
    person = draw_person()
    assert set(np.unique(kinds)) == {0, 1}
    assert (image[kinds == 1] == person.photo[kinds == 1]).all()
    assert (image[kinds == 0] == try_on(person)[kinds == 0]).all()


def test_no_poses(tmp_path: Path, pair: list[object]) -> None:
    (tmp_path / "openpose" / "anna_keypoints.json").unlink()
    result = repair(*pair, "--only", "restore", "--pose-encoder", "openpose")
    assert result.exit_code == 2, result.output
    result = repair(*pair, "--only", "restore", "--pose-encoder", "none", "--overwrite")
    assert result.exit_code == 0, result.output
    assert [row["status"] for row in table(tmp_path)] == ["repaired"]
    result = repair(*pair, "--only", "restore", "--pose-encoder", "none", "--resume")
    assert result.output.splitlines()[-1].startswith("0 repaired, 1 kept, 0 failed")


def test_an_interruption_says_where_the_images_are(
    tmp_path: Path, pair: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("skinfw.repair.pair_task.repair", interrupted)
    result = repair(*pair, "--only", "restore")
    assert result.exit_code == 130, result.output
    assert f"Interrupted; finished images are kept in {tmp_path / 'out'}" in result.output
    assert [row["status"] for row in table(tmp_path)] == ["unfinished"]


def test_two_files_and_their_label_maps(tmp_path: Path) -> None:
    write_pair(tmp_path, "anna", "shirt")
    for kind, name in (("photos", "anna"), ("results", "shirt")):
        (tmp_path / kind / f"{name}_labels.png").rename(tmp_path / f"{name}.png")
    files = {
        "--person": tmp_path / "photos" / "anna.png",
        "--result": tmp_path / "results" / "shirt.png",
        "--parse-person": tmp_path / "anna.png",
        "--parse-result": tmp_path / "shirt.png",
        "-o": tmp_path / "out",
        "--only": "restore",
    }
    arguments = [each for pair in files.items() for each in pair]
    result = repair(*arguments, "--parse-segmenter", json.dumps(SEGMENTER), segmenter="haar")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "shirt.png").is_file()
    # folders of label maps are read by the pictures' names
    for name in ("anna", "shirt"):
        (tmp_path / "maps").mkdir(exist_ok=True)
        (tmp_path / f"{name}.png").rename(tmp_path / "maps" / f"{name}.png")
    files |= {"--parse-person": tmp_path / "maps", "--parse-result": tmp_path / "maps"}
    arguments = [each for pair in files.items() for each in pair]
    result = repair(*arguments, "--overwrite")
    assert result.exit_code == 0, result.output


def test_painting_with_a_run(tmp_path: Path, make_run: Callable[..., Run], pair: list[object]) -> None:
    run = make_run(tmp_path / "run")
    result = repair(run.folder, *pair)
    assert result.exit_code == 0, result.output
    kinds = np.asarray(Image.open(tmp_path / "out" / "provenance" / "anna.png"))
    image = np.asarray(Image.open(tmp_path / "out" / "anna.png"))
    assert set(np.unique(kinds)) == {0, 1, 2, 3}
    assert (image[kinds == 0] == try_on(draw_person())[kinds == 0]).all()
    (row,) = table(tmp_path)
    assert row["report"]["pixels"]["painted"] == (kinds == 2).sum() > 500


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "contains no model that paints masks: name a run folder, a checkpoint or an exported .onnx"),
        (["run", "--pose-encoder", "none"], "painting needs poses"),
        (["run", "--only", "tone"], "--only tone uses no MODEL"),
        (["--only", "tone", "--parse-person", "nowhere"], "--parse-person: nowhere: no such file or folder"),
        (["--only", "tone", "--parse-segmenter", "label_map"], "--parse-segmenter reads the maps of"),
        (["--only", "tone", "--layout", "hr_viton"], "no result belongs to a photo"),
        (["--only", "tone", "--resume", "--overwrite"], "give only one of them"),
        (["--only", "tone", "--pairs", "nowhere.csv"], "nowhere.csv: no such file"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(
    pair: list[object], no_models: None, arguments: list[str], error: str
) -> None:
    result = repair(*arguments, *pair)
    assert result.exit_code == 2, result.output
    assert error in result.output
    assert "Traceback" not in result.output


def test_a_segmenter_without_files_reads_none(tmp_path: Path, pair: list[object]) -> None:
    (tmp_path / "map.png").write_bytes(b"")
    result = repair(*pair, "--only", "restore", "--parse-person", tmp_path / "map.png", segmenter="haar")
    assert result.exit_code == 2
    assert "makes label maps itself" in result.output


def test_a_missing_picture(tmp_path: Path, pair: list[object]) -> None:
    pair[1] = tmp_path / "nowhere"
    result = repair(*pair, "--only", "restore")
    assert result.exit_code == 2
    assert "nowhere: no such photo or folder of photos; check the path" in result.output


def test_no_input_is_replaced(tmp_path: Path, pair: list[object]) -> None:
    (tmp_path / "maps").mkdir()
    for kind, option in (("photos", "--person"), ("results", "--result"), ("maps", "--parse-person")):
        more = ["--only", "tone", "--overwrite", "--parse-person", tmp_path / "maps", "-o", tmp_path / kind]
        done = repair(*pair, *more)
        assert done.exit_code == 2, done.output
        assert f"{kind}: the folder of {option}; choose another output folder" in done.output
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    for kind in ("photos", "results"):
        photo, made = tmp_path / "photos" / "anna.png", tmp_path / "results" / "anna.png"
        more = ["--only", "tone", "--overwrite", "-o", tmp_path / kind]
        done = repair("--person", photo, "--result", made, *more)
        assert done.exit_code == 2, done.output
        assert "anna.png: would replace a photo, a result, a label map or a pose that you gave" in done.output
    assert {path: path.read_bytes() for path in files} == files
