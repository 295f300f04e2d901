from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.keypoints import Keypoints
from skinfw.data.people import person_at, pick_person, strays, widened


def person(*places: tuple[float, float], confidence: float = 0.9) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    for index, place in enumerate(places):
        values[index] = *place, confidence
    return Keypoints(values)


MASK = np.zeros((20, 20), bool)
MASK[:, 10:] = True


def test_the_person_on_the_mask_is_picked() -> None:
    # three points beside the mask count for less than two on it
    beside, on = person((2, 2), (3, 3), (4, 4)), person((12, 2), (13, 3))
    assert pick_person([beside, on], MASK) is on
    assert pick_person([on, beside], MASK) is on


def test_the_surer_of_two_is_picked() -> None:
    weak, sure = person((12, 2), confidence=0.3), person((12, 2), confidence=0.8)
    assert pick_person([weak, sure], MASK) is sure


def test_points_outside_the_image_or_not_found_do_not_count() -> None:
    outside, faint = person((-5, 3), (25, 3), (12, -1), (12, 99)), person((12, 3), confidence=0.01)
    assert pick_person([outside, faint], MASK) is None


def test_nobody_on_the_mask_is_nobody() -> None:
    assert pick_person([person((2, 2))], MASK) is None
    assert pick_person([], MASK) is None
    assert pick_person([person()], None) is None


def test_without_a_mask_the_largest_is_picked() -> None:
    small, large = person((2, 2), (3, 3), (4, 4)), person((2, 2), (18, 18))
    assert pick_person([small, large], None) is large
    assert pick_person([person((2, 2))], None) is not None


def test_the_person_at_a_point_is_the_nearest_body() -> None:
    left, right = whole(40, 10, 100), whole(80, 10, 100)
    for people in ([left, right], [right, left]):
        assert person_at(people, (42, 50)) is left and person_at(people, (75, 50)) is right
        assert person_at(people, (300, 50)) is None
    assert person_at([], (5, 5)) is None and person_at([person((2, 2))], (2, 2)) is None


def whole(x: float, y: float, height: float, found: int = 25) -> Keypoints:
    """A person of a height whose first points from the top are found."""
    places = {
        0: (0, 0), 1: (0, 2), 2: (-2, 2), 3: (-3, 4), 4: (-3, 6), 5: (2, 2), 6: (3, 4), 7: (3, 6),
        8: (0, 7), 9: (-1, 7), 12: (1, 7), 10: (-1, 10), 13: (1, 10), 11: (-1, 13), 14: (1, 13),
    }  # fmt: skip
    values = np.zeros((25, 3), np.float32)
    for index, (across, down) in list(places.items())[:found]:
        values[index] = x + across * height / 13, y + down * height / 13, 0.9
    return Keypoints(values)


def test_a_large_person_cut_at_the_knees_goes_before_a_small_whole_one() -> None:
    everybody = np.ones((130, 130), bool)
    cut, bystander = whole(50, 10, 130, found=11), whole(110, 60, 30)
    for mask in (everybody, None):
        assert pick_person([bystander, cut], mask) is cut
        assert pick_person([cut, bystander], mask) is cut


def test_the_large_person_beside_the_mask_goes_after_the_small_one_on_it() -> None:
    right = np.zeros((130, 130), bool)
    right[:, 95:] = True
    large, small = whole(50, 10, 110), whole(110, 60, 30)
    assert pick_person([large, small], right) is small


def test_points_all_over_the_person_without_limbs_are_nobody() -> None:
    stray = np.zeros((25, 3), np.float32)
    stray[[4, 7, 11]] = (5, 5, 0.9), (125, 5, 0.9), (60, 125, 0.9)
    small = whole(60, 30, 40)
    assert pick_person([Keypoints(stray), small], np.ones((130, 130), bool)) is small


def test_points_off_the_person_are_counted() -> None:
    mask = np.zeros((200, 100), bool)
    mask[20:120, 40:60] = True  # 100 pixels high: 2.5 pixels are near enough
    pose = person((50, 50), (61.9, 50), (63.1, 50), (50, 121.9), (50, 130), (-5, 50), (150, 50))
    assert strays(pose, mask) == 4
    assert strays(pose, mask, tolerance=0) == 6
    assert strays(pose, np.zeros_like(mask)) == 7
    assert strays(person(), mask) == 0


@pytest.mark.parametrize("fraction", [0, 1 / 3, 1.5])
def test_what_is_near_the_person_is_within_a_fraction_of_the_height(fraction: float) -> None:
    mask = np.zeros((15, 25), bool)
    mask[5:8, 10:12] = True
    y, x = np.indices(mask.shape)
    on = np.argwhere(mask)
    away = np.min([np.hypot(y - row, x - column) for row, column in on], axis=0)
    assert np.array_equal(widened(mask, fraction), away <= 3 * fraction)
