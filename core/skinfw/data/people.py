"""Chooses one of several people in an image: the most prominent one, or the one at a point."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.body_parts import Body
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask
from skinfw.data.skeleton import LIMBS

_STEPS = 16
"""Number of positions on a limb that are tested for lying on the person."""


PointInPhoto = tuple[int, int]
"""Column and row of a pixel, from 0 at the top left."""

NEAR = 2.5
"""Maximum distance of a point on a person from a part of the body, in radii of it: clothes are wider."""


def person_at(people: list[Keypoints], at: PointInPhoto) -> Keypoints | None:
    """Return the pose of the body that a pixel is nearest to, or None if it is near no body.

    Args:
        people: all poses in the image.
        at: the pixel.
    """
    column, row = (np.array([place], np.float32) for place in at)

    def distance(pose: Keypoints) -> float:
        body = Body.of(pose)
        return np.inf if body is None or not body.parts else float(body.nearest((row, column))[1][0])

    nearest = min(people, key=distance, default=None)
    return nearest if nearest is not None and distance(nearest) <= NEAR**2 else None


def pick_person(people: list[Keypoints], person: Mask | None) -> Keypoints | None:
    """Return the pose that covers most of the person.

    That is the pose with the greatest length of limbs on the person, times the fraction of its limbs there: a
    large person cut off at the knees wins over a small whole one. Poses without a limb there are ranked by
    their number of points on the person, then by confidence.

    Args:
        people: all poses in the image.
        person: where the person is, bool ``(H, W)``; None: everywhere.

    Returns:
        one of the poses, or None if none has a point on the person.
    """

    def rank(pose: Keypoints) -> tuple[float, float, float]:
        found = pose.points[pose.found()]
        on = _on(found[:, :2], person)
        return _covered(pose, person), float(on.sum()), float(found[on, 2].sum())

    best = max(people, key=rank, default=None)
    return best if best is not None and rank(best)[1] > 0 else None


def strays(pose: Keypoints, person: Mask, tolerance: float = 0.025) -> int:
    """Return how many found points of a pose are not on the person.

    A right pose has hardly any of them, a pose that mixes two people many.

    Args:
        pose: the pose.
        person: where the person is, bool ``(H, W)``.
        tolerance: distance from the person up to which a point still counts as on it, as a fraction of the
            person's height.
    """
    if not person.any():
        return int(np.count_nonzero(pose.found()))
    near = widened(person, tolerance)
    return int(np.count_nonzero(~_on(pose.points[pose.found(), :2], near)))


def widened(person: Mask, fraction: float) -> Mask:
    """Return the person and what is near, bool ``(H, W)``.

    Args:
        person: where the person is, bool ``(H, W)``; not empty.
        fraction: distance up to which a pixel is near, as a fraction of the person's height.
    """
    rows = np.flatnonzero(person.any(axis=1))
    distance = fraction * (rows[-1] - rows[0] + 1)
    away = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near: Mask = away <= distance
    return near


def _covered(pose: Keypoints, person: Mask | None) -> float:
    """Return the length in pixels of a pose's limbs on the person, times its fraction of all its limbs."""
    found, places = pose.found(), pose.points[:, :2].astype(np.float64)
    limbs = [(one, other) for one, other in LIMBS if found[one] and found[other]]
    if not limbs:
        return 0.0
    begin, end = (places[[limb[side] for limb in limbs]] for side in (0, 1))
    lengths = np.linalg.norm(end - begin, axis=1)
    along = np.linspace(0, 1, _STEPS)[:, None, None]
    on = _on((begin + along * (end - begin)).reshape(-1, 2), person).reshape(_STEPS, -1).mean(axis=0)
    total = float(lengths.sum())
    return float((lengths * on).sum()) ** 2 / total if total else 0.0


def _on(places: NDArray[np.floating], person: Mask | None) -> NDArray[np.bool_]:
    """Return which positions (x, y) are on the person, bool ``(N,)``."""
    if person is None:
        return np.ones(len(places), bool)
    # beyond these bounds integers overflow; no image is that large
    x, y = np.floor(places.clip(-1, 2**30)).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < person.shape[1]) & (y < person.shape[0])
    on = np.zeros(len(places), bool)
    on[inside] = person[y[inside], x[inside]]
    return on
