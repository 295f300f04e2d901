"""The parts of a body, compared with distances from sampled points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from distances import distance

from skinfw.data.body_parts import LIMBS, Body, all_pixels, in_strip, squared_distance
from skinfw.data.body_zones import UNDECIDED, zones_of_pose
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.limbs import distance_to_limbs, limbs_of_pose

SIZE = (80, 60)
STANDING = (
    ("Neck", 30, 10), ("MidHip", 30, 50), ("RShoulder", 22, 12), ("LShoulder", 38, 12), ("RHip", 26, 50),
    ("LHip", 34, 50), ("RElbow", 12, 24), ("RWrist", 6, 38), ("RKnee", 25, 64), ("RAnkle", 24, 77),
)  # fmt: skip


def pose(*points: tuple[str, float, float]) -> Keypoints:
    found = np.zeros((25, 3), np.float32)
    for name, x, y in points:
        found[BODY_25.index(name)] = (x, y, 1)
    return Keypoints(found)


def test_distances_are_those_of_the_nearest_point_of_a_line() -> None:
    begin, end = np.array([5.0, 10.0]), np.array([40.0, 62.0])
    found = np.sqrt(squared_distance(begin, end, all_pixels(SIZE)))
    assert np.allclose(found, distance(begin, end, SIZE), atol=0.2)


def test_a_strip_tapers_from_one_radius_to_the_other() -> None:
    """Independently: its outline is a polygon and two circles, as OpenCV draws them."""
    begin, end, radii = np.array([40.0, 60.0]), np.array([120.0, 90.0]), (20.0, 8.0)
    found = in_strip(begin, end, radii, (160, 160))
    across = np.array([-30.0, 80.0]) / np.hypot(30.0, 80.0)
    wide, narrow = radii[0] * across, radii[1] * across
    corners = [begin + wide, end + narrow, end - narrow, begin - wide]
    drawn = np.zeros((160, 160), np.uint8)
    cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], 1)
    for place, radius in zip((begin, end), radii, strict=True):
        cv2.circle(drawn, place.astype(int).tolist(), int(radius), 1, -1)
    apart = np.count_nonzero(found != drawn.astype(bool))
    assert apart < 0.04 * drawn.sum()
    far = np.array([-500.0, 900.0])
    assert not in_strip(far, far, radii, (160, 160)).any()
    assert np.array_equal(in_strip(begin, end, radii, (80, 70)), found[:80, :70])
    assert in_strip(begin, begin, (5.0, 5.0), (160, 160)).sum() == pytest.approx(np.pi * 25, rel=0.1)


def test_the_nearest_part_is_that_of_least_distance_in_radii() -> None:
    body = Body.of(pose(*STANDING))
    assert body is not None
    index, nearest = body.nearest(all_pixels(SIZE))
    all_distances = np.stack(
        [distance(part.begin, part.end, SIZE) / (part.radius * body.unit) for part in body.parts]
    )
    assert np.allclose(np.sqrt(nearest), all_distances.min(axis=0), atol=0.1)
    gap = np.take_along_axis(all_distances, index[None].astype(int), axis=0)[0] - all_distances.min(axis=0)
    assert gap.max() < 0.1
    assert {part.limb for part in body.parts} - {None} == set(LIMBS) - {"neck"}  # no nose, no neck


ALL = np.ones(SIZE, bool)


def test_the_distance_to_limbs_is_known_where_nothing_else_is_nearer() -> None:
    found = distance_to_limbs([pose(*STANDING)], ALL, ("forearms",))
    assert found is not None
    away = distance(np.array([12.0, 24.0]), np.array([6.0, 38.0]), SIZE) / (
        0.1 * 40
    )  # the trunk has 40 pixels
    near = np.isfinite(found)
    assert near[31, 9] and not near[18, 17]  # the middle of the forearm, and of the upper arm
    assert np.allclose(found[near], away[near], atol=0.05)
    assert distance_to_limbs([pose()], ALL, ("forearms",)) is None
    some = np.arange(SIZE[0])[:, None] + np.zeros(SIZE) < 35
    inside = distance_to_limbs([pose(*STANDING)], some, ("forearms",))
    assert inside is not None and np.array_equal(np.isfinite(inside), near & some)


def test_trouser_legs_reach_the_foot_and_meet_below_the_hips() -> None:
    person = pose(*STANDING, ("LKnee", 36, 64), ("LAnkle", 37, 77))
    legs, arms = (
        distance_to_limbs([person], ALL, limbs) for limbs in (("thighs", "lower_legs"), ("forearms",))
    )
    assert legs is not None and arms is not None
    assert np.isfinite(legs[79, 24]) and np.isfinite(legs[58, 30])
    assert not np.isfinite(legs[40, 30]) and not np.isfinite(arms[58, 30])


def test_what_is_nearer_to_somebody_else_is_not_at_the_limbs() -> None:
    one = pose(*STANDING)
    other = Keypoints(one.points + np.float32([-6, 0, 0]) * (one.points[:, 2:] > 0))
    alone, beside = (distance_to_limbs(people, ALL, ("forearms",)) for people in ([one], [one, other]))
    assert alone is not None and beside is not None
    assert np.isfinite(alone[31, 4]) and not np.isfinite(beside[31, 4]) and beside[31, 10] == alone[31, 10]


def test_strips_can_be_limited_to_some_limbs() -> None:
    whole, legs = (limbs_of_pose(pose(*STANDING), SIZE, 1.0, limbs) for limbs in (None, ("lower_legs",)))
    assert whole is not None and legs is not None
    assert legs[70, 24] and not legs[31, 9] and whole[31, 9]
    assert not (legs & ~whole).any()


@pytest.mark.parametrize(
    ("elbow", "wrist", "left"), [((22, 57), (22, 59), ["arm", "hand"]), ((20, 20), (20, 70), ["arm"])]
)
def test_an_arm_that_joins_two_people_is_no_arm(
    elbow: tuple[int, int], wrist: tuple[int, int], left: list[str]
) -> None:
    found = Body.of(pose(*STANDING[:2], ("RShoulder", 22, 12), ("RElbow", *elbow), ("RWrist", *wrist)))
    assert found is not None
    assert [part.zone for part in found.parts if part.zone in ("arm", "hand")] == left


def test_two_shoulders_alone_have_no_zones() -> None:
    shoulders = pose(("RShoulder", 22, 12), ("LShoulder", 38, 12))
    assert zones_of_pose(shoulders, SIZE) is None
    assert distance_to_limbs([shoulders], np.ones(SIZE, bool), ("neck",)) is None


def test_zones_of_some_pixels_are_those_of_all() -> None:
    within = np.random.default_rng(0).random(SIZE) < 0.3
    some, whole = (zones_of_pose(pose(*STANDING), SIZE, within=each) for each in (within, None))
    assert some is not None and whole is not None
    assert np.array_equal(some[within], whole[within]) and (some[~within] == UNDECIDED).all()
