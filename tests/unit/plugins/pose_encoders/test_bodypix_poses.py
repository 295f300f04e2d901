from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_files import PHOTOS, needs_photos, needs_weights
from tiny_poses import write_bodypix_people, write_constants

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data.keypoints import BODY_25
from skinfw.data.people import strays
from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw_plugins.pose_encoders.bodypix import BodyPixPoseEncoder
from skinfw_plugins.pose_encoders.config import BodyPixPoseConfig
from skinfw_plugins.pose_encoders.orders import COCO_17
from skinfw_plugins.pose_encoders.posenet import MAX_PEOPLE, PoseNetDecoder, side
from skinfw_plugins.segmenters.config import BodyPixConfig

SIZE = (129, 65)
"""Height and width of the tiny network's input: multiples of 8 and 16, plus one."""


def body(x: float, top: float, scale: float = 1.0) -> dict[int, tuple[float, float]]:
    """Return all 17 joints of somebody, at places that no cell's corner hits."""
    return {
        joint: (x + (joint % 3 - 1) * 6.3 * scale, top + joint * 4.7 * scale) for joint in range(len(COCO_17))
    }


def encoder(path: Path, **settings: Any) -> BodyPixPoseEncoder:
    params = {"weights": path, "resolution": 129, "stride": 8, **settings}
    return BodyPixPoseEncoder(BodyPixPoseConfig(**params), None)


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("times", [1, 4])
def test_points_are_cells_moved_by_their_offsets(tmp_path: Path, stride: int, times: int) -> None:
    joints = body(31.2, 20.1)
    path = write_bodypix_people(tmp_path / "tiny.onnx", [joints], SIZE, stride)
    photo = Photo(np.zeros((SIZE[0] * times, SIZE[1] * times, 3), np.uint8))
    (pose,) = encoder(path, stride=stride).people(photo)
    for joint, name in enumerate(COCO_17):
        # centers of pixels: one of the network's covers times x times of the photo's
        expected = [(value + 0.5) * times - 0.5 for value in joints[joint]]
        assert pose.point(name)[:2] == pytest.approx(expected, abs=1e-3)
        assert pose.point(name)[2] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-5)
    for middle, (one, other) in {"Neck": ("LShoulder", "RShoulder"), "MidHip": ("LHip", "RHip")}.items():
        expected = (pose.point(one)[:2] + pose.point(other)[:2]) / 2
        assert pose.point(middle)[:2] == pytest.approx(expected, abs=1e-4)
    feet = [index for index, name in enumerate(BODY_25) if "Toe" in name or "Heel" in name]
    assert not pose.points[feet].any()


def test_people_are_told_apart_and_the_mask_picks(tmp_path: Path) -> None:
    left, right = body(14.0, 20.0, 0.9), body(50.0, 30.0, 1.0)
    path = write_bodypix_people(tmp_path / "tiny.onnx", [left, right], SIZE, 8)
    photo = Photo(np.zeros((*SIZE, 3), np.uint8))
    network = encoder(path)
    people = network.people(photo)
    assert len(people) == 2
    for pose, joints in zip(people, (right, left), strict=True):  # the larger first
        assert [pose.point(name)[:2].tolist() for name in COCO_17] == [
            pytest.approx(joints[joint], abs=1e-3) for joint in range(len(COCO_17))
        ]
    for half, joints in ((slice(0, 32), left), (slice(33, 65), right)):
        mask = np.zeros(SIZE, bool)
        mask[:, half] = True
        pose = network.keypoints(photo, mask)
        assert pose is not None and pose.point("Nose")[:2] == pytest.approx(joints[0], abs=1e-3)


def test_weak_points_and_weak_people_are_not_found(tmp_path: Path) -> None:
    half = {joint: place for joint, place in body(31.0, 20.0).items() if joint < 11}
    path = write_bodypix_people(tmp_path / "tiny.onnx", [half], SIZE, 8)
    photo = Photo(np.zeros((*SIZE, 3), np.uint8))
    (pose,) = encoder(path).people(photo)
    assert pose.point("RWrist")[2] > 0.9 and not pose.point("RHip").any() and not pose.point("MidHip").any()
    assert encoder(path, threshold=0.96).people(photo)[0].found(0).sum() == 0
    few = {joint: place for joint, place in half.items() if joint < 4}
    scrap = encoder(write_bodypix_people(tmp_path / "few.onnx", [few], SIZE, 8))
    assert scrap.people(photo) == [] and scrap.keypoints(photo) is None


def test_a_passer_by_in_the_background_is_nobody(tmp_path: Path) -> None:
    photo = Photo(np.zeros((*SIZE, 3), np.uint8))
    for scale, count in ((0.2, 1), (0.5, 2)):
        small = {joint: (54 + (x - 31) * scale, 10 + y * scale) for joint, (x, y) in body(31.0, 0.0).items()}
        path = write_bodypix_people(tmp_path / "tiny.onnx", [body(21.2, 40.1), small], SIZE, 8)
        assert len(encoder(path).people(photo)) == count


def test_points_that_are_not_found_do_not_make_a_person_larger(tmp_path: Path) -> None:
    points = np.full((17, 3), (10, 20, 0.9), np.float32)
    points[3:5] = (90, 20, 0.1), (10, 50, 0.5)
    assert (side(points), side(points, 0.3), side(points, 0.95)) == (80, 30, 0)


def test_noise_does_not_become_a_crowd_without_end(tmp_path: Path) -> None:
    path = write_bodypix_people(tmp_path / "tiny.onnx", [body(31.2, 20.1)], SIZE, 8)
    scores = encoder(path).network(np.zeros((*SIZE, 3), np.uint8))
    rng = np.random.default_rng(0)
    for each in (scores.joints, scores.forward, scores.backward):
        each[:] = rng.normal(0, 60, each.shape)
    assert 1 < len(PoseNetDecoder(scores, 8).people()) <= MAX_PEOPLE


def test_a_second_place_for_a_joint_is_not_a_second_person(tmp_path: Path) -> None:
    """A bag that looks like a wrist leads to the elbow of the person who carries it."""
    joints = body(21.2, 20.1)
    path = write_bodypix_people(tmp_path / "tiny.onnx", [joints], SIZE, 8)
    network = encoder(path)
    photo = Photo(np.zeros((*SIZE, 3), np.uint8))
    (expected,) = network.people(photo)
    scores = network.network(photo.pixels)
    wrist, edge = COCO_17.index("LWrist"), 6
    scores.joints[14, 7, wrist] = 2.9
    elbow = joints[COCO_17.index("LElbow")]
    scores.backward[14, 7, [edge, edge + 16]] = elbow[1] - 14 * 8, elbow[0] - 7 * 8
    scores.offsets[14, 7, [wrist, wrist + 17]] = 0
    (found,) = PoseNetDecoder(scores, 8).people()
    assert found[:, 0] == pytest.approx([expected.point(name)[0] for name in COCO_17], abs=1e-3)


@needs_photos
@needs_weights
@pytest.mark.parametrize("name", ["id_00000848", "id_00000946", "id_00000435"])
def test_no_joint_is_somebody_elses(name: str) -> None:
    """Of these photos with passers-by, the surest place of each joint is often somebody else's."""
    (path,) = PHOTOS.rglob(f"{name}/01_1_front.jpg")
    photo = Photo.read(path)
    person = build(use("segmenter", "deepfashion"), Segmenter).segment(photo).person
    pose = BodyPixPoseEncoder(BodyPixPoseConfig(), None).keypoints(photo, person)
    assert pose is not None and pose.found().sum() >= 17 and strays(pose, person) <= 2


@needs_photos
@needs_weights
def test_people_side_by_side_have_the_poses_that_each_has_alone() -> None:
    """The reference poses are MediaPipe's, one photo at a time."""
    reader = build(use("pose_encoder", "openpose"), PoseEncoder)
    photos = [Photo.read(path) for path in sorted(PHOTOS.rglob("*.jpg"))[:40:5]]
    network = BodyPixPoseEncoder(BodyPixPoseConfig(), None)
    right = known = 0
    for one, other in itertools.pairwise(photos):
        truths, crops, start = [], [], 0
        for photo in (one, other):
            pose = reader.keypoints(photo)
            assert pose is not None
            places = pose.points[pose.points[:, 2] > 0.3]
            left, end = int(places[:, 0].min()) - 20, int(places[:, 0].max()) + 20
            crops.append(photo.pixels[:, max(left, 0) : end])
            truths.append(pose.points - [max(left, 0) - start, 0, 0])
            start += crops[-1].shape[1]
        people = network.people(Photo(np.concatenate(crops, axis=1)))
        for truth in truths:
            counted = [
                index for index, name in enumerate(BODY_25) if name in COCO_17 and truth[index, 2] > 0.5
            ]
            torso = np.linalg.norm(np.subtract(*truth[[BODY_25.index("Neck"), BODY_25.index("MidHip")], :2]))
            near = [
                np.linalg.norm((pose.points - truth)[counted, :2], axis=1) < 0.2 * torso for pose in people
            ]
            right += max(each.sum() for each in near)
            known += len(counted)
    assert right / known > 0.85


def test_poses_are_looked_for_at_385_pixels_and_parts_at_513(tmp_path: Path) -> None:
    assert BodyPixPoseConfig().resolution == 385 and BodyPixConfig().resolution == 513
    size = (385, 193)
    path = write_bodypix_people(tmp_path / "tiny.onnx", [body(90.0, 60.0)], size, 8)
    network = BodyPixPoseEncoder(BodyPixPoseConfig(weights=path), None)
    scores = network.network(np.zeros((512, 256, 3), np.uint8))
    assert scores.input_size == size


def test_an_onnx_file_with_other_outputs(tmp_path: Path) -> None:
    path = write_constants(tmp_path / "other.onnx", {"scores": np.zeros((1, 3), np.float32)}, (8, 8))
    with pytest.raises(UserError, match=r"other\.onnx: has no output named segments.*is it BodyPix 2"):
        encoder(path).people(Photo(np.zeros((*SIZE, 3), np.uint8)))


@needs_photos
@needs_weights
@pytest.mark.parametrize("stride", [8, 16])
def test_a_photo_that_is_shifted_shifts_its_points(stride: int) -> None:
    path = sorted(PHOTOS.rglob("*.jpg"))[0]
    photo = Photo.read(path).pixels
    # 513 pixels are what the network takes: nothing is resized, and a stride more is one cell
    wide = np.pad(photo, ((0, 1), (64, 1), (0, 0)), mode="edge")[:513, :]
    network = BodyPixPoseEncoder(BodyPixPoseConfig(stride=stride, resolution=513), None)
    one, other = (network.keypoints(Photo(wide[:, start : start + 513])) for start in (64, 64 - 2 * stride))
    assert one is not None and other is not None
    sure = (one.points[:, 2] > 0.8) & (other.points[:, 2] > 0.8)
    assert sure.sum() > 8
    moved = (other.points - one.points)[sure, :2]
    assert np.abs(np.median(moved, axis=0) - [2 * stride, 0]).max() < 0.5
