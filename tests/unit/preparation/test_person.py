"""A pose that mixes two people is looked for again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from real_files import PHOTOS, needs_photos, needs_weights

from skinfw.assembly.build import build
from skinfw.components.config import PoseEncoderConfig
from skinfw.components.reference import use
from skinfw.data.keypoints import Keypoints
from skinfw.data.people import strays
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.preparation.person import posed

Pixels = np.ndarray


class Mixing(PoseEncoder[PoseEncoderConfig]):
    """Finds the points of one person, and puts half of them on another one that it sees."""

    def __init__(
        self, alone: Callable[[Keypoints], Keypoints] = lambda pose: pose, file: bool = False
    ) -> None:
        super().__init__(PoseEncoderConfig(), None)
        self.alone, self.file = alone, file
        self.seen: list[Photo] = []

    def people(self, photo: Photo) -> list[Keypoints]:
        self.seen.append(photo)
        points = np.zeros((25, 3), np.float32)
        points[:10] = [(20, 20 + 8 * index, 0.9) for index in range(10)]
        if (photo.pixels[50, 80] == 200).all():
            points[5:10, 0] = 80
            return [Keypoints(points)]
        return [self.alone(Keypoints(points))]

    def sources(self, photo: Path) -> tuple[Path, ...]:
        return (photo.with_suffix(".json"),) if self.file else ()


@pytest.fixture
def scene() -> tuple[Photo, Mask]:
    """A photo of two people, and where the person is."""
    pixels = np.full((120, 100, 3), 50, np.uint8)
    pixels[10:110, 10:30] = 100
    pixels[10:110, 70:90] = 200
    person = np.zeros((120, 100), bool)
    person[10:110, 10:30] = True
    return Photo(pixels, Path("photo.jpg")), person


def test_the_encoder_looks_again_at_the_person_alone(scene: tuple[Photo, Mask]) -> None:
    photo, person = scene
    encoder = Mixing()
    assert strays(Mixing().people(photo)[0], person) == 5
    pose = posed(encoder, photo, person)[0]
    assert strays(pose, person) == 0
    assert pose.found().sum() == 10
    _, again = encoder.seen
    assert again.path == photo.path
    assert np.array_equal(again.pixels[person], photo.pixels[person])
    # 4% of 100 pixels around the person, and gray beyond
    assert (again.pixels[60, 6] == 50).all() and (again.pixels[60, 33] == 50).all()
    assert (again.pixels[60, 5] == 128).all() and (again.pixels[60, 34] == 128).all()


def test_the_first_pose_stays_if_the_second_is_not_better(scene: tuple[Photo, Mask]) -> None:
    def worse(pose: Keypoints) -> Keypoints:
        points = pose.points.copy()
        points[:3, 0] = 60
        return Keypoints(points)

    def fewer(pose: Keypoints) -> Keypoints:
        points = pose.points.copy()
        points[1:] = 0
        return Keypoints(points)

    for alone in (worse, fewer, lambda _: Keypoints(np.zeros((25, 3), np.float32))):
        encoder = Mixing(alone)
        pose, first = posed(encoder, *scene)[0], Mixing(alone).people(scene[0])[0]
        assert len(encoder.seen) == 2 and np.array_equal(pose.points, first.points)


def test_poses_from_files_are_believed(scene: tuple[Photo, Mask]) -> None:
    encoder = Mixing(file=True)
    pose, first = posed(encoder, *scene)[0], Mixing(file=True).people(scene[0])[0]
    assert len(encoder.seen) == 1 and np.array_equal(pose.points, first.points)


def test_a_few_points_beside_the_person_are_no_reason(scene: tuple[Photo, Mask]) -> None:
    photo, person = scene
    person[110:, 10:30] = person[50:75, 75:85] = True  # two of the five points on the other are on the mask
    encoder = Mixing()
    posed(encoder, photo, person)
    assert len(encoder.seen) == 1


@needs_photos
@needs_weights
@pytest.mark.parametrize("name", ["id_00000033", "id_00000375", "id_00000677"])
def test_bodypix_no_longer_mixes_people_in_real_photos(name: str) -> None:
    (path,) = PHOTOS.rglob(f"{name}/01_1_*.jpg")
    photo = Photo.read(path)
    person = build(use("segmenter", "deepfashion"), Segmenter).segment(photo).person
    encoder = build(use("pose_encoder", "bodypix"), PoseEncoder)
    mixed = encoder.keypoints(photo, person)
    assert mixed is not None and strays(mixed, person) >= 4
    pose = posed(encoder, photo, person)[0]
    assert strays(pose, person) <= 1
    true = build(use("pose_encoder", "openpose"), PoseEncoder).keypoints(photo, person)
    assert true is not None
    both = pose.found() & mixed.found() & true.found()
    before, after = (
        np.linalg.norm(each.points[both, :2] - true.points[both, :2], axis=1).mean() for each in (mixed, pose)
    )
    assert after < before / 2
    assert after < 0.05 * np.count_nonzero(person.any(axis=1))
