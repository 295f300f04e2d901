from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinfw.benchmark.poses import measure_pose_encoder, poses_table, torso_length
from skinfw.components.config import PoseEncoderConfig
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw.interfaces import PoseEncoder

Points = dict[str, tuple[float, float]]


def pose(points: Points) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    for name, place in points.items():
        values[BODY_25.index(name)] = *place, 0.9
    return Keypoints(values)


class Known(PoseEncoder[PoseEncoderConfig]):
    """Gives known people by the photo's name; a photo that is not among them is bad data."""

    def __init__(self, known: dict[str, list[Points]]) -> None:
        super().__init__(PoseEncoderConfig(), None)
        self.known = known

    def people(self, photo: Photo) -> list[Keypoints]:
        assert photo.path is not None
        if photo.path.stem not in self.known:
            raise DataError(f"{photo.path}: no pose")
        return [pose(points) for points in self.known[photo.path.stem]]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    for path in paths:
        Image.new("RGB", (100, 200)).save(path)
    return paths


# the torso is 100 long: within 10 a point is right at 0.1, within 20 at 0.2
TRUE: Points = {
    "Neck": (50, 20),
    "MidHip": (50, 120),
    "Nose": (50, 5),
    "RKnee": (40, 160),
    "LBigToe": (60, 190),
}


def test_pck_by_a_count_of_hand(photos: list[Path]) -> None:
    truth = Known({name: [TRUE] for name in "abcd"})
    found: Points = {
        "Neck": (50, 29.9),  # right at both
        "MidHip": (56, 128),  # 10 away, right at both
        "Nose": (50, 15.1),  # 10.1 away, right at 0.2
        "RKnee": (40, 181),  # 21 away, wrong
        "RWrist": (1, 1),  # not in the truth, so it does not count
    }
    encoder = Known({"a": [found], "b": [{"Neck": (50, 20), "MidHip": (50, 120)}], "c": []})
    results = measure_pose_encoder(encoder, truth, photos)
    # toes are never found, so the encoder does not look for them: four points count in each of three photos
    assert (results.points, results.photos, results.nobody) == (12, 3, 1)
    assert results.pck == pytest.approx(((2 + 2) / 12, (3 + 2) / 12))
    assert results.found == pytest.approx((4 + 2) / 12)
    assert results.by_point["Neck"] == pytest.approx(2 / 3) and results.by_point["RKnee"] == 0
    assert results.by_point["LBigToe"] is None and results.by_point["RWrist"] is None
    assert list(results.unusable) == [str(photos[3])] and "no pose" in results.unusable[str(photos[3])]
    assert results.seconds > 0
    assert results.to_json()["pck@0.2"] == results.pck[1] and "pck" not in results.to_json()


def test_of_several_people_the_one_at_the_true_pose_counts(photos: list[Path]) -> None:
    other = {name: (x - 40, y) for name, (x, y) in TRUE.items()}
    more = {**other, "REye": (8, 3), "LEye": (9, 3)}
    results = measure_pose_encoder(Known({"a": [more, TRUE]}), Known({"a": [TRUE]}), photos[:1])
    assert results.pck == (1, 1) and results.found == 1


@pytest.mark.parametrize(
    ("points", "length"),
    [
        ({"Neck": (0, 0), "MidHip": (30, 40), "RShoulder": (0, 0), "RHip": (0, 9)}, 50),
        ({"Neck": (0, 0), "RShoulder": (10, 0), "RHip": (10, 9), "LShoulder": (0, 0), "LHip": (0, 5)}, 9),
        ({"RShoulder": (10, 0), "LShoulder": (0, 0), "LHip": (0, 5)}, 5),
        ({"RShoulder": (10, 0), "LHip": (0, 5), "Neck": (5, 0)}, None),
        ({"Neck": (5, 5), "MidHip": (5, 5)}, None),
    ],
)
def test_torso_length(points: Points, length: float | None) -> None:
    assert torso_length(pose(points)) == length


def test_what_cannot_be_measured_is_told_and_stops_nothing(photos: list[Path]) -> None:
    photos[1].write_bytes(b"no image")
    truth = Known({"a": [TRUE], "b": [TRUE], "c": [{"Nose": (5, 5)}], "d": []})
    results = measure_pose_encoder(Known({name: [TRUE] for name in "abcd"}), truth, photos)
    assert results.photos == 1
    assert [Path(path).stem for path in results.unusable] == ["b", "c", "d"]
    assert "lacks the torso" in results.unusable[str(photos[2])]
    assert "has no true pose" in results.unusable[str(photos[3])]
    with pytest.raises(DataError, match=r"none of the 1 photos could be measured: .*b\.png"):
        measure_pose_encoder(Known({}), truth, photos[1:2])


def test_the_table_marks_the_best(photos: list[Path]) -> None:
    truth = Known({"a": [TRUE]})
    off = {name: (x + 15, y) for name, (x, y) in TRUE.items()}
    results = {
        "right": measure_pose_encoder(Known({"a": [TRUE]}), truth, photos[:1]),
        "off": measure_pose_encoder(Known({"a": [off]}), truth, photos[:1]),
        "blind": measure_pose_encoder(Known({"a": []}), truth, photos[:1]),
    }
    rows = {name: [(cell.text, cell.best) for cell in cells] for name, cells in poses_table(results).rows}
    points = (str(len(TRUE)), False)
    assert rows["right"][:5] == [("1.000", True), ("1.000", True), ("1.000", False), points, ("0", False)]
    assert rows["off"][:2] == [("0.000", False), ("1.000", True)]
    assert [text for text, _ in rows["blind"][:5]] == ["n/a", "n/a", "0.000", "0", "1"]
    alone = poses_table({"right": results["right"]})
    assert not any(cell.best for _, cells in alone.rows for cell in cells), "one alone is not the best"
    some = {name: place for name, place in TRUE.items() if name != "Neck"}
    fewer = {**results, "off": measure_pose_encoder(Known({"a": [some]}), truth, photos[:1])}
    assert not any(cell.best for _, cells in poses_table(fewer).rows for cell in cells), "other points"
    results["off"] = replace(results["off"], unusable={"b.png": "not finite"})
    assert not any(cell.best for _, cells in poses_table(results).rows for cell in cells)
