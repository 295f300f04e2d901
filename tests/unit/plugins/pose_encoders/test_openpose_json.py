from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw_plugins.pose_encoders.config import OpenposeConfig
from skinfw_plugins.pose_encoders.openpose import OpenposePoseEncoder
from skinfw_plugins.pose_encoders.openpose_json import read_poses
from skinfw_plugins.pose_encoders.orders import COCO_18


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def coco_18() -> list[list[float]]:
    return [[10.0 + index, 20.0 + 2 * index, 0.5 + index / 100] for index in range(18)]


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
@pytest.mark.parametrize("order", [None, "coco_18"])
def test_files_of_18_points(tmp_path: Path, key: str, order: str | None) -> None:
    flat = [value for row in coco_18() for value in row]
    path = write(tmp_path / "a.json", {"version": 1.0, "people": [{key: flat}]})
    (pose,) = read_poses(path, order)
    for row, name in zip(coco_18(), COCO_18, strict=True):
        assert pose.point(name) == pytest.approx(row)
    hips = (pose.point("RHip") + pose.point("LHip")) / 2
    assert pose.point("MidHip")[:2] == pytest.approx(hips[:2])
    assert pose.point("LBigToe").tolist() == [0, 0, 0]


def test_dress_code_has_one_person_at_half_the_size(tmp_path: Path) -> None:
    rows = [[*row, index] for index, row in enumerate(coco_18())]
    rows[4] = [-1, -1, 0.3, -1]
    photo = Photo(np.zeros((1024, 768, 3), np.uint8), tmp_path / "013563_0.jpg")
    write(tmp_path / "013563_2.json", {"keypoints": rows})
    (tmp_path / "013563_0_2.json").write_bytes((tmp_path / "013563_2.json").read_bytes())
    reader = OpenposePoseEncoder(OpenposeConfig(suffix="_2.json", pixels_of=(512, 384)), None)
    (pose,) = reader.people(photo)
    for index, name in enumerate(COCO_18):
        x, y, score = coco_18()[index]
        # centres of pixels: pixel 0 of the small picture covers 0 and 1 of the photo
        expected = (0, 0, 0) if index == 4 else (2 * x + 0.5, 2 * y + 0.5, score)
        assert pose.point(name) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("content", "order", "message"),
    [
        ({"people": [{"pose_keypoints_2d": [1.0] * 51}]}, None, "51 numbers for a person, expected 75"),
        ({"people": [{"pose_keypoints_2d": [1.0] * 75}]}, "coco_18", "75 numbers .* order 'coco_18' has 54"),
        (
            {"people": [{"pose_keypoints_2d": [1.0] * 53 + [float("nan")]}]},
            None,
            "a person.s points are no list",
        ),
        ({"keypoints": [[1, 2, 3, 0]] * 3}, None, "9 numbers for a person"),
        ({"keypoints": 3}, None, "no OpenPose JSON"),
        ({"people": [{"hand": []}]}, None, "no OpenPose JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, order: str | None, message: str) -> None:
    with pytest.raises(DataError, match=rf"a\.json: {message}"):
        read_poses(write(tmp_path / "a.json", content), order)
    with pytest.raises(DataError, match=r"none\.json: cannot be read: No such file"):
        read_poses(tmp_path / "none.json")
