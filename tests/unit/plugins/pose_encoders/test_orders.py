from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.keypoints import BODY_25
from skinfw_plugins.pose_encoders.orders import COCO_17, COCO_18, HALPE_26, MEDIAPIPE_33, ORDERS, to_body_25

# BODY_25's index of each point: where the other order has it, counted by hand from the orders' own documents;
# deepfashion_21 from coordinates in its files, where front and back views tell left from right
BY_HAND = {
    "coco_17": {0: 0, 2: 6, 3: 8, 4: 10, 5: 5, 7: 9, 9: 12, 11: 16, 12: 11, 15: 2, 16: 1, 17: 4, 18: 3},
    "body_25b": {0: 0, 2: 6, 3: 8, 4: 10, 5: 5, 7: 9, 9: 12, 10: 14, 11: 16, 12: 11, 15: 2, 16: 1, 17: 4,
                 18: 3, 19: 19, 20: 20, 21: 21, 22: 22, 23: 23, 24: 24},
    "coco_18": {0: 0, 1: 1, 2: 2, 5: 5, 9: 8, 11: 10, 12: 11, 15: 14, 16: 15, 17: 16, 18: 17},
    "halpe_26": {0: 0, 1: 18, 8: 19, 2: 6, 16: 1, 19: 20, 20: 22, 21: 24, 22: 21, 23: 23, 24: 25},
    "mediapipe_33": {0: 0, 2: 12, 5: 11, 3: 14, 4: 16, 9: 24, 10: 26, 11: 28, 15: 5, 16: 2, 17: 8, 18: 7,
                     21: 29, 24: 30, 19: 31, 22: 32},
    "deepfashion_21": {0: 5, 2: 7, 3: 11, 4: 13, 5: 8, 6: 12, 7: 16, 9: 14, 10: 17, 11: 19, 12: 15, 13: 18,
                       14: 20, 15: 2, 16: 3, 17: 1, 18: 4},
}  # fmt: skip
LENGTHS = {
    "body_25": 25, "body_25b": 25, "coco_17": 17, "coco_18": 18, "halpe_26": 26, "mediapipe_33": 33,
    "deepfashion_21": 21,
}  # fmt: skip


def numbered(count: int) -> np.ndarray:
    """Points whose x is their index."""
    return np.stack([np.arange(count), np.arange(count) * 2, np.full(count, 0.5)], axis=1).astype(np.float32)


@pytest.mark.parametrize("name", list(BY_HAND))
def test_points_stand_where_body_25_has_them(name: str) -> None:
    order = ORDERS[name]
    assert len(order) == len(set(order)) == LENGTHS[name]
    found = to_body_25(numbered(len(order)), order).points
    for ours, theirs in BY_HAND[name].items():
        assert found[ours, 0] == theirs, BODY_25[ours]


def test_neck_and_hips_are_midpoints_where_they_are_lacking() -> None:
    points = numbered(17)
    points[COCO_17.index("LShoulder"), 2] = 0.2
    found = to_body_25(points, COCO_17)
    assert found.point("Neck") == pytest.approx([5.5, 11, 0.2])
    assert found.point("MidHip") == pytest.approx([11.5, 23, 0.5])
    assert not found.point("LBigToe").any() and not found.point("RHeel").any()
    assert to_body_25(numbered(18), COCO_18).point("Neck")[0] == 1
    assert to_body_25(numbered(26), HALPE_26).point("MidHip")[0] == 19


def test_no_midpoint_of_a_point_that_was_not_found() -> None:
    points = numbered(33)
    points[MEDIAPIPE_33.index("RHip")] = 0
    found = to_body_25(points, MEDIAPIPE_33)
    assert not found.point("MidHip").any() and not found.point("RHip").any()
    assert found.point("Neck").any()


def test_body_25_stays_as_it_is() -> None:
    points = numbered(25)
    assert np.array_equal(to_body_25(points, BODY_25).points, points)


def test_another_number_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(17, 3\) numbers, not \(18, 3\)"):
        to_body_25(numbered(18), COCO_17)
