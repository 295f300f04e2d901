from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data.batch import collate
from skinfw.data.photo import Photo
from skinfw.data.pose_types import PoseMapType
from skinfw.data.skeleton import draw_skeleton
from skinfw.errors import DataError, UserError
from skinfw.interfaces import Augmentation, AugmentationIO, Dataset
from skinfw.testing import example_dataset_io
from skinfw_plugins.datasets.mannequin import draw_person
from skinfw_plugins.pose_encoders.config import OpenposeConfig
from skinfw_plugins.pose_encoders.openpose import OpenposePoseEncoder

PhotoWriter = Callable[..., Path]
PIXELS = np.zeros((96, 64, 3), np.uint8)


def encoder(**settings: Any) -> OpenposePoseEncoder:
    return OpenposePoseEncoder(OpenposeConfig(**settings), None)


def write_pose(path: Path, *people: float) -> None:
    """Write one person for each number, all of whose points lie at that x."""
    rows = [{"pose_keypoints_2d": [x, 10.0, 0.5] * 25} for x in people]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1.3, "people": rows}))


def test_the_pose_of_a_drawn_person(tmp_path: Path, write_photo: PhotoWriter) -> None:
    drawing = draw_person(0, (96, 64))
    found = encoder().keypoints(Photo.read(write_photo(tmp_path / "a.png")), drawing.labels > 0)
    assert found is not None
    assert np.abs(found.points - drawing.points).max() < 1e-3
    assert np.array_equal(encoder().draw(found, (96, 64)), draw_skeleton(found, (96, 64)))


def test_beside_the_photo_goes_before_the_folder(tmp_path: Path) -> None:
    photo = Photo(PIXELS, tmp_path / "photos" / "a.jpg")
    write_pose(tmp_path / "poses" / "a_keypoints.json", 7)
    reader = encoder(folder=tmp_path / "poses")
    found = reader.keypoints(photo)
    assert found is not None and found.points[0, 0] == 7
    write_pose(tmp_path / "photos" / "a_keypoints.json", 3)
    found = reader.keypoints(photo)
    assert found is not None and found.points[0, 0] == 3
    assert reader.sources(tmp_path / "photos" / "a.jpg") == (tmp_path / "photos" / "a_keypoints.json",)


def test_the_folder_mirrors_the_end_of_the_photos_path(tmp_path: Path) -> None:
    photo = Photo(PIXELS, tmp_path / "img_highres" / "WOMEN" / "Dresses" / "id_1" / "01_1_front.jpg")
    reader = encoder(folder=tmp_path / "poses")
    # the more of the path agrees, the better
    for x, place in enumerate(("", "id_1", "Dresses/id_1", "WOMEN/Dresses/id_1"), start=1):
        write_pose(tmp_path / "poses" / place / "01_1_front_keypoints.json", x)
        found = reader.keypoints(photo)
        assert found is not None and found.points[0, 0] == x


def test_without_a_folder_the_nearest_called_openpose_is_taken(tmp_path: Path) -> None:
    photo = Photo(PIXELS, tmp_path / "data" / "photos" / "id_1" / "a.jpg")
    write_pose(tmp_path / "openpose" / "id_1" / "a_keypoints.json", 3)
    found = encoder().keypoints(photo)
    assert found is not None and found.points[0, 0] == 3
    write_pose(tmp_path / "data" / "openpose" / "id_1" / "a_keypoints.json", 7)
    found = encoder().keypoints(photo)
    assert found is not None and found.points[0, 0] == 7


def test_another_persons_file_is_not_taken(tmp_path: Path) -> None:
    write_pose(tmp_path / "poses" / "id_2" / "01_1_front_keypoints.json", 5)
    photo = Photo(PIXELS, tmp_path / "photos" / "id_1" / "01_1_front.jpg")
    with pytest.raises(DataError, match=r"no pose file 01_1_front_keypoints\.json next to it nor under"):
        encoder(folder=tmp_path / "poses").keypoints(photo)


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_that_is_missing_is_wrong_for_every_photo(tmp_path: Path, made: bool) -> None:
    write_pose(tmp_path / "a_keypoints.json", 3)
    if made:
        (tmp_path / "poses").touch()
    with pytest.raises(UserError, match="poses: no such folder; give the one") as caught:
        encoder(folder=tmp_path / "poses").keypoints(Photo(PIXELS, tmp_path / "a.jpg"))
    # a DataError would be reported once for every photo
    assert not isinstance(caught.value, DataError)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.jpg: no pose file a_keypoints\.json next to it; run OpenPose"):
        encoder().keypoints(Photo(PIXELS, tmp_path / "a.jpg"))
    assert encoder().sources(tmp_path / "a.jpg") == ()


def test_a_photo_in_memory_has_no_pose() -> None:
    with pytest.raises(UserError, match="which only photos on disk have"):
        encoder().keypoints(Photo(PIXELS))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"people": [{}]}', '{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', '{"people": 3}'],
)
def test_no_openpose_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "a_keypoints.json").write_text(text)
    with pytest.raises(DataError, match=r"a_keypoints\.json"):
        encoder().keypoints(Photo(PIXELS, tmp_path / "a.jpg"))


def test_no_people(tmp_path: Path) -> None:
    write_pose(tmp_path / "a_keypoints.json")
    assert encoder().keypoints(Photo(PIXELS, tmp_path / "a.jpg")) is None


def test_everybody_in_the_file_is_found_and_the_one_on_the_mask_picked(tmp_path: Path) -> None:
    write_pose(tmp_path / "a_keypoints.json", 4, 50)
    photo = Photo(PIXELS, tmp_path / "a.jpg")
    assert [pose.points[0, 0] for pose in encoder().people(photo)] == [4, 50]
    right = np.zeros((96, 64), bool)
    right[:, 32:] = True
    found = encoder().keypoints(photo, right)
    assert found is not None and found.points[0, 0] == 50


def test_the_suffix_is_a_setting(tmp_path: Path) -> None:
    write_pose(tmp_path / "a.pose", 4)
    found = encoder(suffix=".pose").keypoints(Photo(PIXELS, tmp_path / "a.jpg"))
    assert found is not None and found.points[0, 0] == 4


def test_plain_lines_stay_so_when_a_sample_is_moved(tmp_path: Path, write_photo: PhotoWriter) -> None:
    write_photo(tmp_path / "photos" / "a_1_front.png")
    pose_encoder = {"type": "openpose", "draw": "lines"}
    config = {
        "root": tmp_path / "photos",
        "cache": tmp_path / "cache",
        "pose_encoder": pose_encoder,
        "prepare": {"num_workers": 1},
    }
    io = example_dataset_io((96, 64), ("apparel_head_foot", "line", "heatmaps"), needs_keypoints=True)
    dataset = build(use("dataset", "photos", **config), Dataset, io)
    sample = dataset.load(dataset.names()[0])
    assert sample.fields["line"].type == PoseMapType("lines")
    assert set(np.unique(sample["line"]).tolist()) == {0, 255}
    flip = build(use("augmentation", "flip", probability=1), Augmentation, AugmentationIO((96, 64)))
    mirrored = flip(collate([sample]))["line"]
    assert (mirrored[0, 0] == mirrored[0, 1]).all() and (mirrored[0, 0] == mirrored[0, 2]).all()
    lit = sample["line"][:, ::-1, 0] > 0
    assert (mirrored[0, 0].numpy() > 0.3)[lit].mean() > 0.6
