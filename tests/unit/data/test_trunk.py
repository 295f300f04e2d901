"""The trunk of a body, of whose pose a part may be missing."""

from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.trunk import trunk_of_pose

SIZE = (120, 80)
WHOLE = {
    "Nose": (40, 8), "Neck": (40, 20), "RShoulder": (27, 21), "LShoulder": (53, 21), "RElbow": (20, 38),
    "LElbow": (60, 38), "RWrist": (17, 55), "LWrist": (63, 55), "MidHip": (40, 60), "RHip": (34, 60),
    "LHip": (46, 60), "RKnee": (33, 86), "LKnee": (47, 86), "RAnkle": (33, 110), "LAnkle": (47, 110),
}  # fmt: skip
UPPER = ("Nose", "Neck", "RShoulder", "LShoulder", "RElbow", "LElbow", "RWrist", "LWrist")
LOWER = ("MidHip", "RHip", "LHip", "RKnee", "LKnee", "RAnkle", "LAnkle")


def pose(*names: str, **moved: tuple[int, int]) -> Keypoints:
    points = np.zeros((25, 3), np.float32)
    for name, place in {**{name: WHOLE[name] for name in names}, **moved}.items():
        points[BODY_25.index(name)] = (*place, 1)
    return Keypoints(points)


def trunk(found: Keypoints, **settings: object) -> np.ndarray:
    mask = trunk_of_pose(found, SIZE, **settings)  # type: ignore[arg-type]
    assert mask is not None
    return mask


def test_the_trunk_of_a_whole_body_is_between_shoulders_and_hips() -> None:
    found = trunk(pose(*WHOLE))
    assert found[25:66, 40].all() and found[60, 32:49].all()
    assert not found[:12].any() and not found[80:].any()
    assert not found[38, 20] and not found[50, 62]  # the arms


@pytest.mark.parametrize(
    "shown", [UPPER, ("RShoulder", "LShoulder", "Nose"), ("Neck", "RShoulder", "LShoulder")]
)
def test_half_a_person_has_the_trunk_of_a_whole_one(shown: tuple[str, ...]) -> None:
    found = trunk(pose(*shown), under_arms=True)
    assert found[25:56, 40].all() and found[25:50, 34:46].all()


def test_legs_alone_have_hips() -> None:
    found = trunk(pose(*LOWER))
    assert found[60, 34:47].all() and found[55:65, 40].all()
    assert not found[75:].any()


def test_a_person_lying_down_has_the_trunk_beside_the_head() -> None:
    lying = pose(Nose=(8, 60), Neck=(20, 60), RShoulder=(20, 73), LShoulder=(20, 47))
    found = trunk(lying, under_arms=True)
    assert found[60, 24:50].all() and not found[80:].any()


def test_neither_shoulders_nor_hips_show_no_trunk() -> None:
    assert trunk_of_pose(pose("Nose", "RElbow", "RWrist"), SIZE) is None
    assert trunk_of_pose(pose("RKnee", "RAnkle"), SIZE) is None


def test_the_trunk_under_an_arm_is_trunk_if_asked_for() -> None:
    crossed = pose(*WHOLE, RElbow=(24, 40), RWrist=(44, 40))
    shown, whole = (trunk(crossed, under_arms=under) for under in (False, True))
    assert not shown[40, 33] and whole[40, 33]
    assert not (shown & ~whole).any()


def test_the_trunk_of_some_pixels_is_that_of_all() -> None:
    within = np.random.default_rng(0).random(SIZE) < 0.3
    some, every = (trunk(pose(*WHOLE), within=each) for each in (within, None))
    assert np.array_equal(some[within], every[within])
