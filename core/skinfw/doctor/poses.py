"""The check that the pose lies on the person."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skinfw.components.field_names import LINE
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import WORST, Finding, severity_of
from skinfw.doctor.opened import Opened, distance_from

_NAMED = 5
"""Maximum number of points in a message."""

_MIN_DISTANCE = 2.0
"""Pixels of distance that are always allowed, for rounding in small images."""


def check_pose(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report a pose without points, or with many points far from the person.

    Without keypoints, the pixels of the pose map are checked instead.
    """
    person = sample.person
    if person is None or not person.any():
        return
    rows, columns = np.nonzero(person)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    distances = distance_from(person)
    allowed = max(_MIN_DISTANCE, config.pose_distance * longer)
    if sample.keypoints is not None:
        far, names = _far_points(sample.keypoints, distances, allowed)
        what = "points"
    elif sample.line is not None:
        drawn = sample.line.max(axis=2) > 32
        far, names, what = distances[drawn] > allowed, [], f"pixels drawn in {LINE}"
    else:
        return
    if not far.size:
        yield Finding("pose", (sample.name,), WORST, "the pose has no points; find it again")
        return
    fraction = float(far.mean())
    if fraction > config.pose_fraction:
        which = f" ({', '.join(names[:_NAMED])}{' and more' if len(names) > _NAMED else ''})" if names else ""
        yield Finding(
            "pose",
            (sample.name,),
            severity_of(fraction, config.pose_fraction),
            f"{fraction:.0%} of the {what}{which} lie more than {allowed:.0f} pixels away from the person; "
            f"the "
            "pose may belong to another image or person, or have another scale",
        )


def _far_points(
    keypoints: Keypoints, distances: NDArray[np.float32], allowed: float
) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which of the found points are far from the person, and their names."""
    found = keypoints.found()
    places = keypoints.points[found, :2]
    height, width = distances.shape
    inside = np.clip(np.rint(places), 0, [width - 1, height - 1]).astype(int)
    # outside the image, the distance is to its edge plus from there to the person
    outside = np.linalg.norm(places - inside, axis=1)
    far = distances[inside[:, 1], inside[:, 0]] + outside > allowed
    names = [name for name, there in zip(BODY_25, found, strict=True) if there]
    return far, [name for name, each in zip(names, far, strict=True) if each]
