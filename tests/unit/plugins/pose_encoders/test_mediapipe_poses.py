from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from real_files import PHOTOS, needs_photos, needs_weights

from skinfw.components.registry import installed
from skinfw.data.keypoints import BODY_25
from skinfw.data.photo import Photo
from skinfw.errors import RegistryError, UserError
from skinfw_plugins.pose_encoders.config import MediapipePoseConfig
from skinfw_plugins.pose_encoders.mediapipe import MediapipePoseEncoder
from skinfw_plugins.pose_encoders.orders import MEDIAPIPE_33

PHOTO = Photo(np.zeros((100, 200, 3), np.uint8))


def encoder(**settings: Any) -> MediapipePoseEncoder:
    return MediapipePoseEncoder(MediapipePoseConfig(**settings), None)


def photos(count: int) -> list[Path]:
    return sorted(PHOTOS.rglob("*.jpg"))[:count]


def found_by(landmarks: list[list[tuple[float, float, float]]]) -> Any:
    """Return what stands in for MediaPipe's landmarker: it finds the same in every image."""
    people = [[SimpleNamespace(x=x, y=y, visibility=sure) for x, y, sure in person] for person in landmarks]
    return SimpleNamespace(detect=lambda _: SimpleNamespace(pose_landmarks=people))


def test_landmarks_become_body_25_in_pixels() -> None:
    person = [(index / 33, 1 - index / 33, 0.29 + index / 100) for index in range(33)]
    network = encoder()
    network.landmarker = found_by([person, person])
    people = network.people(PHOTO)
    assert len(people) == 2
    for index, name in enumerate(MEDIAPIPE_33):
        if name in BODY_25:
            x, y, visibility = person[index]
            # the image's borders are 0 and 1, the first pixel's center is 0
            expected = (200 * x - 0.5, 100 * y - 0.5, visibility) if visibility >= 0.3 else (0, 0, 0)
            assert people[0].point(name) == pytest.approx(expected, abs=1e-4)
    neck = (people[0].point("LShoulder") + people[0].point("RShoulder")) / 2
    assert people[0].point("Neck")[:2] == pytest.approx(neck[:2])
    assert not people[0].point("LSmallToe").any() and not people[0].point("RSmallToe").any()
    network.landmarker = found_by([])
    assert network.keypoints(PHOTO) is None


def test_warnings_of_native_code_are_dropped_whenever_they_come(capfd: pytest.CaptureFixture[str]) -> None:
    person = [[(0.5, 0.5, 0.9)] * 33]
    answer = found_by(person).detect(None)

    def detect(_: Any) -> Any:
        os.write(2, b"W0000 memory is not aligned")
        return answer

    network = encoder()
    network.landmarker = SimpleNamespace(detect=detect)
    for _ in range(3):
        assert len(network.people(PHOTO)) == 1
    assert capfd.readouterr().err == ""


def test_what_is_no_task_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.task: no such \.task file"):
        encoder(model=tmp_path / "none.task").people(PHOTO)
    (tmp_path / "bad.task").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad\.task: not a pose landmarker that MediaPipe can load: "):
        encoder(model=tmp_path / "bad.task").people(PHOTO)


def test_another_file_under_the_right_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pose_landmarker_full.task").write_bytes(b"nothing")
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match=r"its SHA-256 is \w+, the published file's 4eaa5eb7"):
        encoder().people(PHOTO)


def test_without_the_extra_its_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    for name in [name for name in sys.modules if name.startswith("mediapipe.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "skinfw_plugins.pose_encoders.mediapipe")
    with pytest.raises(RegistryError, match=r"it needs: pip install 'skinfw\[mediapipe\]'"):
        installed().component_class("pose_encoder", "mediapipe")


SCRIPT = """
import sys
from pathlib import Path
from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data.photo import Photo
from skinfw.interfaces import PoseEncoder
encoder = build(use('pose_encoder', 'mediapipe'), PoseEncoder)
for path in sys.argv[1:]:
    print([pose.points.tobytes().hex() for pose in encoder.people(Photo.read(Path(path)))])
print('heard', file=sys.stderr)
"""


@needs_photos
@needs_weights
def test_processes_side_by_side_find_the_same_and_say_nothing_of_their_own() -> None:
    paths = photos(2)
    expected = [
        [pose.points.tobytes().hex() for pose in encoder().people(Photo.read(path))] for path in paths
    ]
    assert all(expected)
    command = [sys.executable, "-c", SCRIPT, *map(str, paths)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        out, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert out.splitlines() == [str(people) for people in expected]
        assert said.split() == ["heard"]


@needs_photos
@needs_weights
def test_a_mirrored_photo_has_the_mirrored_pose() -> None:
    network = encoder()
    sums = []
    for path in photos(6):
        photo = Photo.read(path)
        pose, mirrored = (network.keypoints(each) for each in (photo, Photo(photo.pixels[:, ::-1])))
        assert pose is not None and mirrored is not None
        for side, other in (("L", "R"), ("R", "L")):
            one, two = pose.point(f"{side}Shoulder"), mirrored.point(f"{other}Shoulder")
            assert one[2] > 0.9 and two[2] > 0.9
            sums.append(one[0] + two[0])
    # pixels are counted from 0 to width - 1
    assert np.median(sums) == pytest.approx(photo.size[1] - 1, abs=1.5)
