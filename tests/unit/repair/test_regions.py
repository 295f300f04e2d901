"""Hands by class or pose, glasses inside the face, the trunk by class, and where contours agree."""

from __future__ import annotations

import numpy as np
import pytest
from try_on import SIZE, draw_person, pose, relabeled

from skinfw.data.body_zones import body_distances
from skinfw.data.segmentation import Segmentation
from skinfw.repair.paint_zones import unpaintable
from skinfw.repair.regions import Regions, agreement, regions_of

PERSON = draw_person()
DISTANCES = body_distances(pose(), SIZE)


def test_hands_have_a_class_or_come_from_the_pose() -> None:
    by_pose = regions_of(PERSON.parse, pose(), DISTANCES).hands
    assert 200 < by_pose.sum() < 700
    assert by_pose[134:140].any()
    classes = (*PERSON.parse.classes, "left_hand")
    regions = {**PERSON.parse.regions, "skin": ("skin", "left_hand")}
    one = Segmentation(PERSON.parse.labels, classes, regions)
    left = by_pose & (np.arange(SIZE[1]) > 90)
    by_class = regions_of(relabeled(one, left, "left_hand"), pose(), DISTANCES).hands
    assert (by_class == left).all()
    assert not regions_of(PERSON.parse, None, None).hands.any()


def test_glasses_are_part_of_the_face() -> None:
    glasses = np.zeros(SIZE, bool)
    glasses[32:36, 82:99] = True
    worn = relabeled(PERSON.parse, glasses, "hair")
    assert regions_of(worn, None, None).face[glasses].all()
    # hair beside it is not
    assert not regions_of(worn, None, None).face[12, 90]


def test_classes_of_the_trunk_are_never_painted() -> None:
    classes = ("torso_skin" if name == "skin" else name for name in PERSON.parse_bare.classes)
    regions = {**PERSON.parse_bare.regions, "skin": ("torso_skin",)}
    found = Segmentation(PERSON.parse_bare.labels, tuple(classes), regions)
    reasons = unpaintable(found, DISTANCES)
    assert reasons["trunk or hips"][found.region("skin")].all()
    total = sum(mask.astype(int) for mask in reasons.values())
    assert np.max(total) == 1  # one reason for each pixel


@pytest.mark.parametrize(("shift", "agrees"), [(0, True), (1, True), (8, False)])
def test_a_shifted_bar_agrees_up_to_the_bound(shift: int, agrees: bool) -> None:
    # a limb of 16 pixels: the overlap of a shift s is (16 - s) / (16 + s), 0.88 for 1 and 0.33 for 8
    bar, nothing = np.zeros((200, 100), bool), np.zeros((200, 100), bool)
    bar[20:180, 40:56] = True
    person = Regions(bar, nothing, nothing, nothing)
    result = Regions(np.roll(bar, shift, axis=1), nothing, nothing, nothing)
    assert agreement(person, result)[100, 50] == agrees


def test_a_new_sleeve_is_no_disagreement() -> None:
    bar, nothing = np.zeros((200, 100), bool), np.zeros((200, 100), bool)
    bar[20:180, 40:56] = True
    sleeve = bar & (np.arange(200) < 100)[:, None]
    person = Regions(bar, nothing, nothing, nothing)
    result = Regions(bar & ~sleeve, nothing, nothing, sleeve)
    assert agreement(person, result)[102, 48]
