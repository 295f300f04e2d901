"""Distances from the parts of a body, against a hand count on a simple pose."""

from __future__ import annotations

import numpy as np
import pytest
from try_on import SIZE, pose

from skinfw.data.body_parts import ZONES
from skinfw.data.body_zones import body_distances, zones_of_pose
from skinfw.data.keypoints import Keypoints


def test_distances_are_in_radii_and_trunks() -> None:
    found = body_distances(pose(), SIZE)
    assert found is not None
    # the trunk is 68 pixels long; the torso's radius is 0.2 of it, so 13.6 pixels
    assert found.parts["torso"][90, 90] == pytest.approx(0)
    assert found.parts["torso"][90, 84] == pytest.approx((6 / 13.6) ** 2, rel=0.01)
    # a pixel 34 below the middle of the hips is half a trunk away
    assert found.hips[126, 90] == pytest.approx(0)
    assert found.hips[126 + 34, 90] == pytest.approx(0.5)
    assert set(found.parts) == {"torso", "arm", "thigh", "shin", "head", "neck", "hand", "foot"}


def test_the_nearest_part_is_the_zone() -> None:
    found, zones = body_distances(pose(), SIZE), zones_of_pose(pose(), SIZE)
    assert found is not None
    assert zones is not None
    names = list(found.parts)
    nearest = np.stack([found.parts[name] for name in names])
    inside = nearest.min(axis=0) <= 1
    expected = np.array([ZONES.index(name) for name in names])[nearest.argmin(axis=0)]
    # parts of equal distance may be either
    assert (zones[inside] == expected[inside]).mean() > 0.99


def test_few_points_have_no_distances() -> None:
    assert body_distances(Keypoints(np.zeros((25, 3), np.float32)), SIZE) is None
    alone = pose().points.copy()
    alone[8:15] = 0  # no hips, no legs
    found = body_distances(Keypoints(alone), SIZE)
    assert found is not None
    assert np.isinf(found.hips).all()
