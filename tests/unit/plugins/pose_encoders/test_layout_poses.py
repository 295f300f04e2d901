from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import DEEPFASHION_POINTS, SIZE, dress_code_rows, write_deepfashion_multimodal, write_dress_code

from skinfw.build import build
from skinfw.component_spec import use
from skinfw.data.keypoints import BODY_25
from skinfw.data.photo import Photo
from skinfw.errors import DataError, SpecError
from skinfw.interfaces import PoseEncoder
from skinfw_plugins.pose_encoders.orders import COCO_18

HALF = [SIZE[0] // 2, SIZE[1] // 2]
NAME = "WOMEN-Dresses-id_00000002-02_1_front"


def encoder(name: str, **params: Any) -> PoseEncoder[Any]:
    return build(use("pose_encoder", name, **params), PoseEncoder)


def photo_of(root: Path, path: str) -> Photo:
    return Photo.read(root / path)


def test_points_of_dress_code_become_those_of_the_photo(tmp_path: Path) -> None:
    (pose,) = write_dress_code(tmp_path, "dresses", ["000000"])
    photo = photo_of(tmp_path, "dresses/images/000000_0.jpg")
    dress_code = encoder("dress_code", size=HALF)
    assert photo.path is not None
    assert [path.resolve() for path in dress_code.sources(photo.path)] == [
        tmp_path / "dresses" / "keypoints" / "000000_2.json"
    ]
    found = dress_code.keypoints(photo)
    assert found is not None
    for name in COCO_18:
        assert np.allclose(found.point(name), pose.point(name), atol=1e-3), name
    middle = (pose.point("RHip") + pose.point("LHip")) / 2
    assert np.allclose(found.point("MidHip")[:2], middle[:2], atol=1e-3)


def test_points_that_dress_code_did_not_find(tmp_path: Path) -> None:
    (pose,) = write_dress_code(tmp_path, "dresses", ["000000"])
    path = tmp_path / "dresses" / "keypoints" / "000000_2.json"
    rows = dress_code_rows(pose)
    rows[COCO_18.index("LWrist")] = [-1, -1, 0.3, -1]
    path.write_text(json.dumps({"keypoints": rows}), encoding="utf-8")
    photo = photo_of(tmp_path, "dresses/images/000000_0.jpg")
    found = encoder("dress_code", size=HALF).keypoints(photo)
    assert found is not None and not found.point("LWrist").any() and found.point("RWrist")[2] > 0
    path.write_text(json.dumps({"keypoints": [[-1, -1, 0, -1]] * 18}), encoding="utf-8")
    assert encoder("dress_code").people(photo) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no keypoints of Dress Code"),
        ('{"people": []}', "no keypoints of Dress Code"),
        ('{"keypoints": [[1, 2, 1, 0]]}', r"holds \(1, 4\) numbers"),
        ('{"keypoints": [[1, 2], [3]]}', "no keypoints of Dress Code"),
        (None, "cannot be read"),
    ],
)
def test_bad_files_of_dress_code(tmp_path: Path, text: str | None, told: str) -> None:
    write_dress_code(tmp_path, "dresses", ["000000"])
    path = tmp_path / "dresses" / "keypoints" / "000000_2.json"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"000000_2\.json: {told}"):
        encoder("dress_code").people(photo_of(tmp_path, "dresses/images/000000_0.jpg"))


def points(root: Path, **params: Any) -> PoseEncoder[Any]:
    locations = root / "keypoints" / "keypoints_loc.txt"
    return encoder("deepfashion_points", points=DEEPFASHION_POINTS, locations=locations, **params)


def test_points_of_deepfashion_multimodal(tmp_path: Path) -> None:
    poses = write_deepfashion_multimodal(tmp_path, ["MEN-Denim-id_00000080-01_1_front", NAME])
    found = points(tmp_path).keypoints(photo_of(tmp_path, f"images/{NAME}.jpg"))
    assert found is not None
    for name in set(DEEPFASHION_POINTS) & set(BODY_25):
        expected = poses[1].point(name)
        # the file has whole numbers
        assert np.abs(found.point(name)[:2] - expected[:2]).max() <= 0.5, name
        assert found.point(name)[2] == (expected[2] > 0)


def test_hidden_and_missing_points(tmp_path: Path) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    visibility = tmp_path / "keypoints" / "keypoints_vis.txt"
    codes = ["0"] * 21
    codes[DEEPFASHION_POINTS.index("RWrist")] = "1"
    codes[DEEPFASHION_POINTS.index("LWrist")] = "2"
    visibility.write_text(f"{NAME}.jpg {' '.join(codes)}\n", encoding="utf-8")
    photo = photo_of(tmp_path, f"images/{NAME}.jpg")
    found = points(tmp_path, visibility=visibility, hidden=0.25).keypoints(photo)
    assert found is not None
    confidence = [float(found.point(name)[2]) for name in ("RElbow", "RWrist", "LWrist")]
    assert confidence == [1, 0.25, 0]
    visibility.write_text(f"{NAME}.jpg {' '.join(['2'] * 21)}\n", encoding="utf-8")
    assert points(tmp_path, visibility=visibility).people(photo) == []


def test_poses_are_made_anew_when_a_file_changes(tmp_path: Path) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    before = points(tmp_path).fingerprint()
    assert before == points(tmp_path).fingerprint() != ""
    path = tmp_path / "keypoints" / "keypoints_loc.txt"
    os.utime(path, ns=(1, 1))
    assert points(tmp_path).fingerprint() != before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", f"has no line for {NAME}.jpg"),
        (f"{NAME}.jpg 1 2\n", "line 1: expected a photo's name and 42 numbers"),
        (f"{NAME}.jpg {'x ' * 42}\n", "line 1: expected a photo's name and 42 numbers"),
    ],
)
def test_bad_files_of_deepfashion_multimodal(tmp_path: Path, text: str, told: str) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    (tmp_path / "keypoints" / "keypoints_loc.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(told)):
        points(tmp_path).people(photo_of(tmp_path, f"images/{NAME}.jpg"))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Nose"] * 21, "a point stands twice"),
        (["Noze", *[""] * 20], "'Noze' is no point of BODY_25; did you mean 'Nose'?"),
        (["Nose"], "at least 21 items"),
    ],
)
def test_names_of_points_are_checked(names: list[str], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        use("pose_encoder", "deepfashion_points", points=names, locations="x")
