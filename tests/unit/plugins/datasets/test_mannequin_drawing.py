"""People drawn from a seed: what the image, the label map and the keypoints promise."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from skinfw.evaluation.tone_groups import MONK_SHADES
from skinfw_plugins.datasets.mannequin import CLASSES, Drawing, draw_person

LABEL = {name: index for index, name in enumerate(CLASSES)}
NOSE, NECK, MID_HIP = 0, 1, 8
RIGHT_SHOULDER, LEFT_SHOULDER = 2, 5
WRISTS = (4, 7)
ANKLES_WITH_TOES = ((11, (22, 23)), (14, (19, 20)))


@pytest.fixture(scope="module")
def crowd() -> list[Drawing]:
    return [draw_person(seed, (128, 128)) for seed in range(200)]


def label_at(drawing: Drawing, point: int) -> int:
    x, y = np.round(drawing.points[point, :2]).astype(int)
    return int(drawing.labels[y, x])


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = draw_person(7, (96, 64)), draw_person(7, (96, 64))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.points.tobytes() == second.points.tobytes()


def test_another_seed_gives_another_person() -> None:
    first, second = draw_person(7, (96, 64)), draw_person(8, (96, 64))
    assert not np.array_equal(first.image, second.image)
    assert not np.array_equal(first.labels, second.labels)
    assert not np.array_equal(first.points, second.points)


@pytest.mark.parametrize(
    "size", [(128, 128), (256, 128), (512, 512), (96, 64), (64, 64), (50, 201), (33, 17)]
)
def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    for seed in range(3):
        drawing = draw_person(seed, size)
        assert drawing.image.shape == (*size, 3)
        assert drawing.image.dtype == np.uint8
        assert drawing.labels.shape == size
        assert drawing.labels.dtype == np.uint8
        assert drawing.points.shape == (25, 3)
        assert drawing.points.dtype == np.float32
        assert drawing.labels.max() < len(CLASSES)
        assert {LABEL["face"], LABEL["skin"], LABEL["background"]} <= set(np.unique(drawing.labels).tolist())


def test_the_person_fills_the_height_and_keeps_a_margin(crowd: list[Drawing]) -> None:
    for drawing in crowd:
        rows = np.flatnonzero((drawing.labels > 0).any(axis=1))
        assert rows[0] > 0
        assert rows[-1] < 127
        assert rows[-1] - rows[0] > 0.75 * 128


def test_keypoints_lie_in_the_image_and_on_the_person(crowd: list[Drawing]) -> None:
    near = 0
    for drawing in crowd:
        assert (drawing.points[:, 2] == 1).all()
        assert (drawing.points[:, :2] >= 0).all()
        assert (drawing.points[:, :2] <= 127).all()
        near += sum(label_at(drawing, point) != LABEL["background"] for point in range(25))
    assert near > 0.97 * 25 * len(crowd)


def test_the_nose_lies_on_the_face(crowd: list[Drawing]) -> None:
    assert all(label_at(drawing, NOSE) == LABEL["face"] for drawing in crowd)


def test_wrists_lie_on_skin_cloth_of_sleeves_or_behind_the_body(crowd: list[Drawing]) -> None:
    bare = sum(label_at(drawing, wrist) == LABEL["skin"] for drawing in crowd for wrist in WRISTS)
    assert bare > 0.6 * 2 * len(crowd)


def test_joints_follow_one_another_from_head_to_toes(crowd: list[Drawing]) -> None:
    for drawing in crowd:
        y = drawing.points[:, 1]
        assert y[NOSE] < y[NECK] < y[MID_HIP] < min(y[10], y[13])
        for ankle, toes in ANKLES_WITH_TOES:
            assert all(y[ankle] < y[toe] for toe in toes)


def test_the_persons_right_is_on_the_images_left(crowd: list[Drawing]) -> None:
    assert all(drawing.points[RIGHT_SHOULDER, 0] < drawing.points[LEFT_SHOULDER, 0] for drawing in crowd)


def test_every_monk_tone_shows_on_some_face(crowd: list[Drawing]) -> None:
    scale = np.array([tuple(bytes.fromhex(code[1:])) for code in MONK_SHADES], float)
    nearest = []
    for drawing in crowd:
        face = drawing.image[drawing.labels == LABEL["face"]].astype(float)
        lit = face[face.sum(axis=1) >= np.percentile(face.sum(axis=1), 75)]
        nearest.append(int(np.linalg.norm(scale - np.median(lit, axis=0), axis=1).argmin()))
    assert set(nearest) == set(range(10))


def test_face_and_limbs_share_their_tone(crowd: list[Drawing]) -> None:
    def median(drawing: Drawing, name: str) -> np.ndarray:
        return np.median(drawing.image[drawing.labels == LABEL[name]].astype(float), axis=0)

    faces = np.array([median(drawing, "face").mean() for drawing in crowd])
    limbs = np.array([median(drawing, "skin").mean() for drawing in crowd])
    assert np.corrcoef(faces, limbs)[0, 1] > 0.95


def test_some_skin_is_bare_on_everybody(crowd: list[Drawing]) -> None:
    fractions = [(drawing.labels == LABEL["skin"]).mean() for drawing in crowd]
    assert min(fractions) > 0.01
    of_person = [(d.labels == LABEL["skin"]).sum() / (d.labels > 0).sum() for d in crowd]
    assert 0.20 < np.mean(of_person) < 0.35


def test_garments_vary(crowd: list[Drawing]) -> None:
    least = {"top": 0.5, "pants": 0.3, "skirt": 0.1, "dress": 0.1, "outer": 0.05, "footwear": 1.0}
    for name, fraction in least.items():
        assert np.mean([(drawing.labels == LABEL[name]).any() for drawing in crowd]) >= fraction, name


def test_another_size_shows_the_same_person() -> None:
    for seed in range(20):
        small, large = draw_person(seed, (128, 128)), draw_person(seed, (256, 256))
        assert (large.labels[::2, ::2] == small.labels).mean() > 0.95
        assert np.abs(large.points[:, :2] / 2 - small.points[:, :2]).max() < 0.51


def test_skin_pixels_have_the_hue_of_the_face() -> None:
    """Inside the skin label nothing but skin was painted: its hue is that of the face."""
    for seed in range(12):
        drawing = draw_person(seed, (256, 256))
        mask = (drawing.labels == LABEL["skin"]).astype(np.uint8)
        inner = cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0
        skin = drawing.image[inner].astype(float) + 1
        face = np.median(drawing.image[drawing.labels == LABEL["face"]].astype(float), axis=0) + 1
        hue = skin / skin.sum(axis=1, keepdims=True) - face / face.sum()
        assert np.percentile(np.abs(hue).max(axis=1), 95) < 0.09


def test_drawing_is_fast_enough() -> None:
    """A floor far below the usual speed; benchmarks/mannequins.py prints the real one."""
    draw_person(0, (128, 128))
    started = time.process_time()
    for seed in range(60):
        draw_person(seed, (128, 128))
    assert 60 / (time.process_time() - started) > 60
