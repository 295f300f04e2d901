from __future__ import annotations

import numpy as np

from skinfw.data.keypoints import Keypoints
from skinfw.data.people import pick_person


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


def test_points_outside_the_picture_or_not_found_do_not_count() -> None:
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
