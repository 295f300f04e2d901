"""Which of several people in a picture is meant."""

from __future__ import annotations

import numpy as np

from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask


def pick_person(people: list[Keypoints], person: Mask | None) -> Keypoints | None:
    """Return the pose with most points on the person; of equal ones the surest.

    Args:
        people: all poses in the picture.
        person: where the person is, bool ``(H, W)``; None takes the pose with the largest box.

    Returns:
        one of the poses, or None where there is none, or none has a point on the person.
    """

    def on_person(pose: Keypoints) -> tuple[float, float]:
        found = pose.points[pose.found()]
        if person is None:
            box = np.ptp(found[:, :2], axis=0) if len(found) else np.zeros(2)
            # a pose of one point has no box, and is still somebody
            return float(box[0] * box[1]) + len(found), float(found[:, 2].sum())
        x, y = np.floor(found[:, :2]).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < person.shape[1]) & (y < person.shape[0])
        hits = found[inside][person[y[inside], x[inside]]]
        return float(len(hits)), float(hits[:, 2].sum())

    best = max(people, key=on_person, default=None)
    return best if best is not None and on_person(best)[0] > 0 else None
