"""``skinfw audit`` from label maps that are given, so no weights are needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from try_on import SEGMENTER, write_pair

from skinfw.cli import main


def audit(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments), "--segmenter", json.dumps(SEGMENTER)])


def test_page_and_json(tmp_path: Path) -> None:
    write_pair(tmp_path, "anna")
    write_pair(tmp_path, "ben", "other")
    page = tmp_path / "audit.html"
    result = audit(tmp_path / "photos", tmp_path / "results", "-o", page)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[-4] == "1 pair measured, 0 not measured"
    assert lines[-3] == "1 photos have no result: ben.png; 1 results have no photo: other.png"
    data = json.loads((tmp_path / "audit.json").read_text())
    assert data["counts"] == {"measured": 1, "failed": 0, "unmatched_photos": 1, "unmatched_results": 1}
    assert data["pairs"]["anna"]["values"]["hands_changed"] is not None
    assert "ben.png" in page.read_text()
    # nothing is overwritten unasked
    again = audit(tmp_path / "photos", tmp_path / "results", "-o", page)
    assert again.exit_code == 2
    assert "already exists" in again.output
    assert audit(tmp_path / "photos", tmp_path / "results", "-o", page, "--overwrite").exit_code == 0


def test_without_poses_hands_and_sleeves_have_no_value(tmp_path: Path) -> None:
    write_pair(tmp_path, "anna")
    page = tmp_path / "audit.html"
    result = audit(tmp_path / "photos", tmp_path / "results", "-o", page, "--pose-encoder", "none")
    assert result.exit_code == 0, result.output
    metrics = json.loads((tmp_path / "audit.json").read_text())["metrics"]
    assert metrics["hands_changed"]["all"] is None
    assert metrics["leftover_sleeve"]["all"] is None
    assert metrics["face_changed"]["all"]["images"] == 1


@pytest.mark.parametrize(
    ("posed", "told"),
    [(0, "all are measured"), (1, "the others are measured"), (2, "the others are measured")],
)
def test_photos_without_poses_are_measured_without_them(tmp_path: Path, posed: int, told: str) -> None:
    for name in ("anna", "ben", "cleo"):
        write_pair(tmp_path, name)
    for name in ("anna", "ben", "cleo")[posed:]:
        (tmp_path / "openpose" / f"{name}_keypoints.json").unlink()
    folders = (tmp_path / "photos", tmp_path / "results")
    result = audit(*folders, "-o", tmp_path / "audit.html")
    assert result.exit_code == 0, result.output
    message = f"3 photos, {posed} with a pose file: {told} without poses; give --pose-encoder bodypix"
    assert message in result.stderr
    data = json.loads((tmp_path / "audit.json").read_text())
    sleeves = data["metrics"]["leftover_sleeve"]["all"]
    assert data["counts"]["measured"] == 3
    assert (0 if sleeves is None else sleeves["images"]) == posed
    # who names an encoder wants poses
    named = audit(*folders, "-o", tmp_path / "named.html", "--pose-encoder", "openpose")
    assert "without poses" not in named.stderr
    if posed:
        assert json.loads((tmp_path / "named.json").read_text())["counts"]["measured"] == posed


def test_two_results_of_one_name(tmp_path: Path) -> None:
    write_pair(tmp_path, "anna")
    results = tmp_path / "results"
    (results / "anna.webp").write_bytes((results / "anna.png").read_bytes())
    result = audit(tmp_path / "photos", results, "-o", tmp_path / "audit.html")
    assert result.exit_code == 2
    assert "has the same name; rename one" in result.output
    assert not (tmp_path / "audit.html").exists()


@pytest.mark.parametrize(
    ("output", "error"), [("page.json", "name the page .html"), ("page", "name the page .html")]
)
def test_the_page_is_html(tmp_path: Path, output: str, error: str) -> None:
    write_pair(tmp_path, "anna")
    result = audit(tmp_path / "photos", tmp_path / "results", "-o", tmp_path / output)
    assert result.exit_code == 2
    assert error in result.output
    assert not (tmp_path / output).exists()


def test_a_missing_folder_is_named_as_audit_does(tmp_path: Path) -> None:
    write_pair(tmp_path, "anna")
    done = audit(tmp_path / "nope", tmp_path / "results", "-o", tmp_path / "page.html")
    assert done.exit_code == 2
    assert "nope: no such photo or folder of photos; check the path" in done.output
    assert "--person" not in done.output
