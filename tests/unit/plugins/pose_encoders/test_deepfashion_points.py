from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import write_deepfashion_multimodal

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data.keypoints import BODY_25
from skinfw.data.photo import Photo
from skinfw.errors import DataError, UserError
from skinfw.interfaces import PoseEncoder
from skinfw_plugins.pose_encoders.orders import DEEPFASHION_21

NAME = "WOMEN-Dresses-id_00000002-02_1_front"


def encoder(name: str, **params: Any) -> PoseEncoder[Any]:
    return build(use("pose_encoder", name, **params), PoseEncoder)


def photo_of(root: Path, path: str) -> Photo:
    return Photo.read(root / path)


def points(root: Path, **params: Any) -> PoseEncoder[Any]:
    locations = root / "keypoints" / "keypoints_loc.txt"
    return encoder("deepfashion_points", locations=locations, **params)


def test_points_of_deepfashion_multimodal(tmp_path: Path) -> None:
    poses = write_deepfashion_multimodal(tmp_path, ["MEN-Denim-id_00000080-01_1_front", NAME])
    found = points(tmp_path).keypoints(photo_of(tmp_path, f"images/{NAME}.jpg"))
    assert found is not None
    for name in set(DEEPFASHION_21) & set(BODY_25):
        expected = poses[1].point(name)
        # the file has whole numbers
        assert np.abs(found.point(name)[:2] - expected[:2]).max() <= 0.5, name
        assert found.point(name)[2] == (expected[2] > 0)


def test_hidden_and_missing_points(tmp_path: Path) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    visibility = tmp_path / "keypoints" / "keypoints_vis.txt"
    codes = ["0"] * 21
    codes[DEEPFASHION_21.index("RWrist")] = "1"
    codes[DEEPFASHION_21.index("LWrist")] = "2"
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


def test_a_photo_without_a_line_is_one_that_fails(tmp_path: Path) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    (tmp_path / "keypoints" / "keypoints_loc.txt").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=f"has no line for {NAME}.jpg"):
        points(tmp_path).people(photo_of(tmp_path, f"images/{NAME}.jpg"))


@pytest.mark.parametrize("separator", ["\t", ",", "; "])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lines_as_programs_write_them(tmp_path: Path, separator: str, encoding: str) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    photo = photo_of(tmp_path, f"images/{NAME}.jpg")
    (expected,) = points(tmp_path).people(photo)
    path = tmp_path / "keypoints" / "keypoints_loc.txt"
    text = path.read_text(encoding="utf-8").strip().replace(" ", separator) + f"{separator}\r\n"
    path.write_text(text, encoding=encoding, newline="")
    (found,) = points(tmp_path).people(photo)
    assert np.array_equal(found.points, expected.points)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{NAME}.jpg 1 2\n", "line 1: expected a photo's name and 42 numbers, found 2 words"),
        (f"{NAME}.jpg 3e51 {'1 ' * 41}\n", "line 1: a number is beyond 1,000,000 pixels"),
        (f"{NAME}.jpg nan {'1 ' * 41}\n", "line 1: a number is beyond 1,000,000 pixels"),
        (f"{NAME}.jpg {'x ' * 42}\n", "line 1: expected a photo's name and 42 numbers, found 42 words"),
        (f"{NAME}.jpg {'0 ' * 21}\n", "locations is keypoints_loc.txt, visibility keypoints_vis.txt"),
        (f"{NAME}.jpg {'9 ' * 42}\n" * 2, f"line 2: {NAME}.jpg already has a line"),
        (None, "keypoints_loc.txt: no such file; give the keypoints_*.txt"),
    ],
)
def test_bad_files_of_deepfashion_multimodal_stop_a_run(tmp_path: Path, text: str | None, told: str) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    path = tmp_path / "keypoints" / "keypoints_loc.txt"
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(told)) as caught:
        points(tmp_path).people(photo_of(tmp_path, f"images/{NAME}.jpg"))
    # a DataError would be told once for every photo
    assert not isinstance(caught.value, DataError)


def test_points_of_another_size_are_refused(tmp_path: Path) -> None:
    write_deepfashion_multimodal(tmp_path, [NAME])
    path = tmp_path / "keypoints" / "keypoints_loc.txt"
    # as some editors save it
    path.write_text(f"{NAME}.jpg {'500 900 ' * 21}\n", encoding="utf-8-sig")
    with pytest.raises(DataError, match=f"{NAME}.jpg: 19 of .* points lie outside the photo of 96x64"):
        points(tmp_path).people(photo_of(tmp_path, f"images/{NAME}.jpg"))
