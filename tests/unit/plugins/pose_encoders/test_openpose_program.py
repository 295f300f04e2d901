"""OpenPose's program, for which a script stands in: it speaks its command line and writes its JSON."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.data.photo import Photo
from skinfw.errors import DataError, UserError
from skinfw_plugins.pose_encoders.config import OpenposeConfig
from skinfw_plugins.pose_encoders.openpose import OpenposePoseEncoder

PHOTO = Photo(np.zeros((9, 9, 3), np.uint8))
STAND_IN = """#!{python}
import argparse, json, pathlib, sys, time
from PIL import Image
parser = argparse.ArgumentParser()
for flag in ("image_dir", "write_json", "display", "render_pose", "model_pose", "model_folder"):
    parser.add_argument("--" + flag)
given = parser.parse_args()
assert (given.display, given.render_pose, given.model_pose) == ("0", "0", "BODY_25"), given
{before}
for path in pathlib.Path(given.image_dir).iterdir():
    width, height = Image.open(path).convert("RGB").size
    # somebody whose points lie on the image's diagonal
    points = [value for index in range(25) for value in (width * index / 25, height * index / 25, 0.9)]
    people = [{{"person_id": [-1], "pose_keypoints_2d": points, "face_keypoints_2d": []}}] * {people}
    out = pathlib.Path(given.write_json, path.stem + "_keypoints.json")
    out.write_text(json.dumps({{"version": 1.3, "people": people}}))
"""


def stand_in(folder: Path, people: int = 1, before: str = "") -> Path:
    path = folder / "openpose.bin"
    path.write_text(STAND_IN.format(python=sys.executable, people=people, before=before))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def encoder(binary: Path, **settings: Any) -> OpenposePoseEncoder:
    return OpenposePoseEncoder(OpenposeConfig(binary=binary, **settings), None)


def test_a_photo_without_json_is_given_to_openpose(tmp_path: Path) -> None:
    photo = Photo(np.zeros((50, 100, 3), np.uint8))
    (pose,) = encoder(stand_in(tmp_path)).people(photo)
    expected = [(100 * index / 25, 50 * index / 25, 0.9) for index in range(1, 25)]
    assert pose.points[1:] == pytest.approx(np.array(expected))


def test_the_models_folder_is_handed_on(tmp_path: Path) -> None:
    binary = stand_in(tmp_path, before=f"assert given.model_folder == {str(tmp_path / 'models')!r}")
    assert encoder(binary, model_folder=tmp_path / "models").people(PHOTO)


def test_json_beside_the_photo_goes_before_the_program(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (100, 50)).save(path)
    (tmp_path / "a_keypoints.json").write_text('{"people": []}')
    assert encoder(stand_in(tmp_path)).people(Photo.read(path)) == []


@pytest.mark.parametrize(("people", "count"), [(0, 0), (3, 3)])
def test_nobody_and_several(tmp_path: Path, people: int, count: int) -> None:
    assert len(encoder(stand_in(tmp_path, people)).people(PHOTO)) == count


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("sys.exit('Cuda check failed (2 vs. 0): out of memory')", r"exit code 1: Cuda check failed \(2"),
        ("sys.exit()", r"openpose\.bin: wrote no JSON file: it printed nothing"),
        ("time.sleep(60)", r"took longer than 0\.5 seconds for one image and was stopped"),
        (
            "pathlib.Path(given.write_json, 'a.json').write_text('{}'); sys.exit()",
            r"a\.json: not OpenPose JSON",
        ),
    ],
)
def test_failures_are_one_error_of_the_photo(tmp_path: Path, before: str, message: str) -> None:
    timeout = 0.5 if "sleep" in before else 60
    with pytest.raises(DataError, match=message):
        encoder(stand_in(tmp_path, before=before), timeout=timeout).people(PHOTO)


def test_a_program_that_cannot_be_started_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.bin: cannot be started: No such file") as error:
        encoder(tmp_path / "none.bin").people(PHOTO)
    assert not isinstance(error.value, DataError)
    binary = stand_in(tmp_path)
    binary.chmod(0o644)
    with pytest.raises(UserError, match=r"openpose\.bin: cannot be started: Permission denied"):
        encoder(binary).people(PHOTO)
