from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.segmentation import Segmentation
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.duplicates import perceptual_hash
from skinfw.preparation.filters import Facts, body_shown, facts_of, skin_fraction, view_of_name, view_of_pose
from skinfw.preparation.measures import sharpness
from skinfw.preparation.report import Rejected
from skinfw.runtime.box import Box

CLASSES = ("background", "top", "skin", "footwear")
REGIONS = {"background": ("background",), "apparel": ("top",), "skin": ("skin",), "feet": ("footwear",)}


def pose(**points: tuple[float, float]) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    for name, (x, y) in points.items():
        values[BODY_25.index(name)] = x, y, 0.9
    return Keypoints(values)


def torso(right: float, left: float) -> Keypoints:
    return pose(RShoulder=(right, 20), LShoulder=(left, 20), Neck=(50, 20), MidHip=(50, 70))


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("01_1_front.jpg", "front"),
        ("02_3_side.jpg", "side"),
        ("03_7_additional.png", "additional"),
        ("02_4_full.jpg", "full"),
        ("holiday_front.jpg", None),
        ("01_1_front_segment.png", None),
        ("01_1_frontal.jpg", None),
    ],
)
def test_view_of_a_file_name(name: str, view: str | None) -> None:
    assert view_of_name(Path("somewhere", name)) == view


@pytest.mark.parametrize(
    ("right", "left", "view"),
    [(35, 65, "front"), (65, 35, "back"), (46, 54, "side"), (54, 46, "side"), (41, 59, "front")],
)
def test_view_of_a_pose(right: float, left: float, view: str) -> None:
    # a torso of 50 pixels: from 17.5 pixels between the shoulders on it is front or back
    assert view_of_pose(torso(right, left)) == view


def test_view_of_a_pose_without_hips_is_not_known() -> None:
    assert view_of_pose(pose(RShoulder=(35, 20), LShoulder=(65, 20), Neck=(50, 20))) is None


def person(**rows: slice) -> Segmentation:
    labels = np.zeros((100, 100), np.uint8)
    for name, where in rows.items():
        labels[where, 40:60] = CLASSES.index(name)
    return Segmentation(labels, CLASSES, REGIONS)


def test_shoes_make_a_full_body() -> None:
    assert body_shown(person(top=slice(0, 80), footwear=slice(80, 85)), pose()) == "full"
    assert body_shown(person(top=slice(0, 100)), pose()) == "upper"


def test_a_speck_is_no_shoe() -> None:
    segmentation = person(top=slice(0, 100))
    segmentation.labels[99, 40:43] = CLASSES.index("footwear")
    # 3 of 2000 pixels are less than 0.2%
    assert body_shown(segmentation, pose()) == "upper"
    segmentation.labels[99, 43] = CLASSES.index("footwear")
    assert body_shown(segmentation, pose()) == "full"


def test_bare_feet_lie_below_the_ankles() -> None:
    legs = person(top=slice(0, 60), skin=slice(60, 100))
    assert body_shown(legs, pose(RAnkle=(45, 94), LAnkle=(55, 94))) == "full"
    assert body_shown(legs, pose()) == "upper"
    assert body_shown(legs, pose(RAnkle=(45, 120), LAnkle=(55, 120))) == "upper"


def test_share_of_skin_is_of_the_person() -> None:
    assert skin_fraction(person(top=slice(0, 60), skin=slice(60, 80))) == pytest.approx(0.25)
    assert skin_fraction(person()) == 0


@pytest.mark.parametrize(
    ("facts", "config", "reason"),
    [
        (Facts(view="side"), PrepareConfig(), "other view"),
        (Facts(view="side"), PrepareConfig(views=("front", "side")), None),
        (Facts(view=None), PrepareConfig(), None),
        (Facts(body="upper"), PrepareConfig(body="full"), "other part of the body"),
        (Facts(body="full"), PrepareConfig(body="upper"), "other part of the body"),
        (Facts(body="upper"), PrepareConfig(), None),
        (Facts(skin_fraction=0.09), PrepareConfig(min_skin=0.1), "too little skin"),
        (Facts(skin_fraction=0.1), PrepareConfig(min_skin=0.1), None),
        (Facts(size=255), PrepareConfig(min_size=256), "photo too small"),
        (Facts(size=256), PrepareConfig(min_size=256), None),
        (Facts(people=2), PrepareConfig(people=1), "too many people"),
        (Facts(people=2), PrepareConfig(people=2), None),
        (Facts(people=9), PrepareConfig(), None),
        (Facts(person=99), PrepareConfig(min_person=100), "person too small"),
        (Facts(person=100), PrepareConfig(min_person=100), None),
        (Facts(cut_off=0.11), PrepareConfig(max_cut_off=0.1), "person cut off"),
        (Facts(cut_off=0.1), PrepareConfig(max_cut_off=0.1), None),
        (Facts(confidence=0.94), PrepareConfig(min_confidence=0.95), "label map uncertain"),
        (Facts(confidence=0.95), PrepareConfig(min_confidence=0.95), None),
        (Facts(), PrepareConfig(min_confidence=0.95), None),
        (Facts(sharpness=49.0), PrepareConfig(min_sharpness=50), "not sharp"),
        (Facts(sharpness=50.0), PrepareConfig(min_sharpness=50), None),
        (
            Facts(classes={"top": 0.4}),
            PrepareConfig(require_classes=("dress", "skirt")),
            "required class missing",
        ),
        (Facts(classes={"top": 0.4, "skirt": 0.1}), PrepareConfig(require_classes=("dress", "skirt")), None),
        (
            Facts(classes={"top": 0.4, "skirt": 0.1}),
            PrepareConfig(require_classes=("skirt",), min_class=0.2),
            "required class missing",
        ),
        (
            Facts(classes={"top": 0.4, "bag": 0.1}),
            PrepareConfig(exclude_classes=("bag",)),
            "excluded class shown",
        ),
        (Facts(classes={"top": 0.4, "bag": 0.009}), PrepareConfig(exclude_classes=("bag",)), None),
    ],
)
def test_what_is_left_out(facts: Facts, config: PrepareConfig, reason: str | None) -> None:
    if reason is None:
        facts.check(config)
    else:
        with pytest.raises(Rejected) as caught:
            facts.check(config)
        assert caught.value.reason == reason


def test_the_facts_of_a_drawn_scene() -> None:
    # person of 20x80 pixels in the middle of 100x100, the lower half skin
    segmentation = person(top=slice(10, 50), skin=slice(50, 90))
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    front = torso(35, 65)
    facts = facts_of(noise, None, segmentation, front, 3)
    assert (facts.view, facts.body, facts.people) == ("front", "upper", 3)
    assert (facts.size, facts.person, facts.cut_off) == (100, 80, 0.0)
    assert facts.classes == {"top": 0.5, "skin": 0.5} and facts.skin_fraction == 0.5
    assert facts.sharpness == round(sharpness(noise, Box(10, 40, 80, 20)), 3)
    assert facts.phash == perceptual_hash(noise)
    assert facts.mirrored_phash == perceptual_hash(np.ascontiguousarray(np.fliplr(noise))) != facts.phash
    assert facts_of(noise, "additional", segmentation, front, 3).view == "additional"


def test_a_person_without_skin_is_left_out() -> None:
    with pytest.raises(Rejected) as caught:
        Facts(skin_fraction=0.0).check(PrepareConfig())
    assert caught.value.reason == "no skin found"
    Facts(skin_fraction=0.000001).check(PrepareConfig())
