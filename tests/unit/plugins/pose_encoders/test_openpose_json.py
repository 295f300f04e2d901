from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw.data.keypoints import BODY_25, Keypoints, read_openpose_json
from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw_plugins.datasets.mannequin import draw_person
from skinfw_plugins.pose_encoders.config import OpenposeConfig
from skinfw_plugins.pose_encoders.openpose import OpenposePoseEncoder
from skinfw_plugins.pose_encoders.openpose_json import read_poses
from skinfw_plugins.pose_encoders.orders import BODY_25B, COCO_17, COCO_18


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
        # centers of pixels: pixel 0 of the small image covers 0 and 1 of the photo
        expected = (0, 0, 0) if index == 4 else (2 * x + 0.5, 2 * y + 0.5, score)
        assert pose.point(name) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("content", "order", "message"),
    [
        ({"people": [{"pose_keypoints_2d": [1.0] * 45}]}, None, "45 numbers for a person, expected 75"),
        ({"people": [{"pose_keypoints_2d": [1.0] * 75}]}, "coco_18", "75 numbers .* order 'coco_18' has 54"),
        (
            {"people": [{"pose_keypoints_2d": [1.0] * 53 + [float("nan")]}]},
            None,
            "a person.s points must be a list",
        ),
        ({"keypoints": [[1, 2, 3, 0]] * 3}, None, "9 numbers for a person"),
        ({"keypoints": 3}, None, "not OpenPose JSON"),
        ({"people": [{"hand": []}]}, None, "not OpenPose JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, order: str | None, message: str) -> None:
    with pytest.raises(DataError, match=rf"a\.json: {message}"):
        read_poses(write(tmp_path / "a.json", content), order)
    with pytest.raises(DataError, match=r"none\.json: cannot be read: No such file"):
        read_poses(tmp_path / "none.json")


SIZE = (96, 64)
DRAWN = draw_person(0, SIZE).points.astype(float)
FOUND = DRAWN[:, 2] > 0


def in_order(order: tuple[str, ...]) -> list[float]:
    """The drawn person's points in another order, flat; the ends of the head from neck and nose."""
    places = dict(zip(BODY_25, DRAWN, strict=True))
    up = places["Nose"] - places["Neck"]
    places |= {"UpperNeck": places["Neck"] + 0.3 * up, "HeadTop": places["Nose"] + 0.8 * up}
    for name in ("UpperNeck", "HeadTop"):
        places[name][2] = 1.0
    return [float(value) for name in order for value in places[name]]


def people(*rows: Any, **more: Any) -> dict[str, Any]:
    return {"people": [{"pose_keypoints_2d": row} for row in rows], **more}


def scaled(x: float, y: float, shift: float = 0.0) -> list[float]:
    """The drawn person's numbers times x and y, where found."""
    moved = np.where(FOUND[:, None], DRAWN * [x, y, 1] + [shift, shift, 0], 0)
    return [float(value) for value in moved.ravel()]


@pytest.mark.parametrize("order", [BODY_25B, COCO_18, COCO_17], ids=["body_25b", "coco_18", "coco_17"])
def test_the_order_is_recognized(tmp_path: Path, order: tuple[str, ...]) -> None:
    (pose,) = read_poses(write(tmp_path / "a.json", people(in_order(order))), None, SIZE)
    for name in set(order) & set(BODY_25):
        assert pose.point(name) == pytest.approx(DRAWN[BODY_25.index(name)], abs=1e-4), name


def test_the_order_of_a_whole_file_is_one(tmp_path: Path) -> None:
    # three points alone make no body in either order
    sparse = [0.0] * 75
    sparse[:9] = [10, 10, 0.9, 12, 9, 0.9, 8, 9, 0.9]
    path = write(tmp_path / "a.json", people(sparse, in_order(BODY_25B)))
    assert read_poses(path, None, SIZE)[0].point("LEye")[:2].tolist() == [12, 9]
    assert read_poses(path, "body_25", SIZE)[0].point("Neck")[:2].tolist() == [12, 9]


@pytest.mark.parametrize(
    "content",
    [
        people(scaled(2, 2), canvas_width=128, canvas_height=192),
        [people(scaled(2, 2), canvas_width=128, canvas_height=192)],
        people(scaled(1 / 63, 1 / 95)),
        people(scaled(1 / 63, 1 / 95), canvas_width=128, canvas_height=192),
        people(scaled(2 / 63, 2 / 95, -1)),
        people(scaled(1, 1), [0.0] * 75),
        people(scaled(1, 1), []),
        people(scaled(1, 1), None),
        {"people": [None, {}, {"hand_left_keypoints_2d": [1, 2, 3]}, *people(scaled(1, 1))["people"]]},
    ],
    ids=[
        "canvas", "frames", "zero_one", "zero_one of a canvas", "plus_minus_one", "zeros", "empty", "null",
        "no body",
    ],
)  # fmt: skip
def test_the_person_is_read_in_pixels_of_the_photo(tmp_path: Path, content: Any) -> None:
    (pose,) = read_poses(write(tmp_path / "a.json", content), None, SIZE)
    assert np.abs(pose.points - DRAWN).max() < 0.6  # the canvas and the photo have different pixel centers


def test_the_unit_can_be_said(tmp_path: Path) -> None:
    # a person in the lower right quarter has no coordinate below 0
    path = write(tmp_path / "a.json", people([0.5, 0.5, 1.0] * 25))
    assert read_poses(path, None, (101, 101))[0].points[0, 0] == pytest.approx(50)
    found = read_poses(path, None, (101, 101), coordinates="plus_minus_one")
    assert found[0].points[0, 0] == pytest.approx(75)
    assert read_poses(path, None, (101, 101), coordinates="pixels")[0].points[0, 0] == 0.5


def test_the_size_that_is_said_goes_before_the_canvas(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", people(scaled(2, 2), canvas_width=32, canvas_height=48))
    (pose,) = read_poses(path, None, SIZE, (192, 128))
    assert np.abs(pose.points - DRAWN).max() < 0.6


def test_cocos_flags_become_confidences(tmp_path: Path) -> None:
    flat = in_order(COCO_17)
    flat[2::3] = [2, 1, 0, *[2] * 14]
    (pose,) = read_poses(write(tmp_path / "a.json", {"keypoints": flat}), None, SIZE)
    assert [float(pose.point(name)[2]) for name in ("Nose", "LEye", "REye")] == [1, 0.5, 0]


@pytest.mark.parametrize("content", [{"people": []}, people([]), people([0.0] * 75), people(None)])
def test_nobody_was_found(tmp_path: Path, content: Any) -> None:
    assert read_poses(write(tmp_path / "a.json", content), None, SIZE) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([people(), people()], "a list of 2 frames"),
        ([], "a list of 0 frames"),
        ("people", "contains no object"),
        ({"people": None}, "people is not a list"),
        ({}, "it has no people"),
        ({"people": [3]}, "person 1 is not an object"),
        ({"people": [{}]}, "person 1 has no pose_keypoints_2d"),
        ({"people": [{"pose_keypoints_2d": "1 2 3"}]}, "pose_keypoints_2d of person 1 is not a list"),
        (people(scaled(1, 1), ["4.5"] * 75), "number 1 of person 2 is '4.5'"),
        (people([True] * 75), "number 1 of person 1 is 'True'"),
        (people([10**400] * 75), "number 1 of person 1 is '1000"),
        (people([4.0, float("inf"), 1.0] * 25), "number 2 of person 1 is 'inf'"),
        (people([[1.0, 2.0, 0.5]] * 25), r"number 1 of person 1 is '\[1.0, 2.0"),
        (people([4.0, 5.0] * 25), "50 numbers for a person"),
        (people([4.0, 5.0, 87.5] * 25), "has a confidence of 87.5"),
        (people(scaled(1, 1), scaled(1, 1)[:54]), "different numbers of points"),
        (people(scaled(1, 1), canvas_width=64), "canvas_height and canvas_width must both be"),
        (people(scaled(1, 1), canvas_width=64, canvas_height=0), "canvas_height and canvas_width must both"),
        (people(scaled(1, 1), canvas_width=64, canvas_height=64), "another aspect"),
        (people(scaled(4, 4)), r"points lie outside the photo of 96x64 .* set pixels_of"),
        ({"keypoints": [[1, 2]] * 18}, "rows of x, y, confidence"),
    ],
)
def test_the_reason_is_said(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        read_poses(write(tmp_path / "a.json", content), None, SIZE)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("confidence", [0.1, 0.9])
def test_guesses_beyond_the_photo_do_not_make_it_another_one(tmp_path: Path, confidence: float) -> None:
    """A photo down to the knees or less: MediaPipe guesses the rest, and is not sure of it."""
    half = (SIZE[0] // 2 - 10, SIZE[1])
    points = np.reshape(scaled(1, 1), (-1, 3))
    beyond = points[:, 1] > half[0]
    assert beyond.mean() > 0.4
    points[beyond, 2] = confidence
    path = write(tmp_path / "a.json", people(points.ravel().tolist()))
    if confidence < 0.3:
        assert len(read_poses(path, None, half)) == 1
    else:
        with pytest.raises(DataError, match="points lie outside the photo"):
            read_poses(path, None, half)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "pose.json"
    path.write_text('{"people": []}' + " " * 4 * 2**20)
    with pytest.raises(DataError, match=r"pose\.json: cannot be read: larger than 4,194,304 bytes"):
        read_poses(path)


def test_a_samples_keypoints_are_read_by_the_same_rules(tmp_path: Path) -> None:
    path = write(tmp_path / "keypoints.json", people(None, scaled(1, 1)))
    assert np.allclose(read_openpose_json(path)[0].points, Keypoints(DRAWN.astype(np.float32)).points)
    with pytest.raises(DataError, match="54 numbers for a person; BODY_25 has 75"):
        read_openpose_json(write(path, people(scaled(1, 1)[:54])))
    with pytest.raises(DataError, match="must be a list of finite numbers"):
        read_openpose_json(write(path, people([10**400] * 75)))
