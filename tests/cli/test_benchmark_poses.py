from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from drawn_photos import write_drawn_photo
from tiny_poses import write_bodypix_people

from skinfw.cli import main
from skinfw.data.keypoints import BODY_25
from skinfw_plugins.pose_encoders.orders import COCO_17


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for seed in range(3):
        write_drawn_photo(tmp_path / "photos" / f"{seed}.png", seed)
    return tmp_path / "photos"


def bodypix_of(pose: Path, weights: Path) -> str:
    """Return a bodypix encoder that finds the pose of a file of 96x64 pixels everywhere."""
    flat = json.loads(pose.read_text())["people"][0]["pose_keypoints_2d"]
    rows = [flat[3 * index : 3 * index + 3] for index in range(25)]
    joints = {}
    for joint, name in enumerate(COCO_17):
        x, y, score = rows[BODY_25.index(name)]
        if score > 0:
            # to the network's input, 97x65
            joints[joint] = ((x + 0.5) * 65 / 64 - 0.5, (y + 0.5) * 97 / 96 - 0.5)
    write_bodypix_people(weights, [joints], (97, 65), 8)
    return json.dumps({"type": "bodypix", "weights": str(weights), "resolution": 97})


def test_a_table_and_a_file(photos: Path, tmp_path: Path) -> None:
    encoder = bodypix_of(photos / "0_keypoints.json", tmp_path / "tiny.onnx")
    output = tmp_path / "results.json"
    arguments = ["--encoder", "openpose", "--encoder", encoder, "--limit", "2", "--output", str(output)]
    done = CliRunner().invoke(main, ["benchmark-poses", str(photos), *arguments])
    assert done.exit_code == 0, done.output
    results = json.loads(output.read_text())
    ours, theirs = results["openpose"], results[next(name for name in results if name != "openpose")]
    # an encoder that is measured against itself is right everywhere
    assert (ours["pck@0.1"], ours["pck@0.2"], ours["found"]) == (1, 1, 1)
    assert ours["photos"] == theirs["photos"] == 2 and ours["memory"] > 10
    # it always finds the first photo's pose
    assert 0.5 <= theirs["pck@0.1"] < 1
    assert "PCK@0.1" in done.output and "photos/s" in done.output


def test_without_encoders_those_that_can_run_are_measured(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    for name in ("mobilenet_v1_050_stride8.onnx", "pose_landmarker_full.task"):
        (tmp_path / "weights" / name).write_bytes(b"another file")
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    done = CliRunner().invoke(main, ["benchmark-poses", str(photos), "--limit", "1"])
    assert done.exit_code == 2
    for name in ("skipping bodypix: ", "skipping mediapipe: ", "skipping rtmpose: "):
        assert name in done.stderr
    assert "its SHA-256 is" in done.stderr and "no pose encoder could be measured" in done.stderr


def test_errors_of_the_user(photos: Path, tmp_path: Path) -> None:
    def told(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["benchmark-poses", *arguments])
        assert done.exit_code == 2, done.output
        return done.output

    assert "did you mean 'openpose'" in told(str(photos), "--encoder", "openpos")
    assert "no such folder" in told(str(tmp_path / "no"), "--encoder", "openpose")
    (tmp_path / "empty").mkdir()
    assert "no photos in it" in told(str(tmp_path / "empty"), "--encoder", "openpose")
    missing = '{"type": "rtmpose", "pose_model": "/nowhere/a.onnx"}'
    assert "no such ONNX file" in told(str(photos), "--encoder", missing)
