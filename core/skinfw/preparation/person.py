"""The label map and the pose of the person in a photo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skinfw.data.keypoints import Keypoints
from skinfw.data.people import PointInPhoto, person_at, pick_person, strays, widened
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError, RunError, counted
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.preparation.measures import people_count
from skinfw.preparation.report import Rejected


def segmented(segmenter: Segmenter[Any], photo: Photo) -> Segmentation:
    """Return a photo's label map, which has the photo's size and shows skin and background.

    Raises:
        DataError: the photo cannot be segmented, or the label map has another size.
        RunError: the segmenter does not find skin and background.
    """
    segmentation = segmenter.segment(photo)
    check_segmentation(segmentation, photo, photo.path)
    return segmentation


def check_segmentation(segmentation: Segmentation, photo: Photo, where: object) -> None:
    """Check that a label map has the photo's size and shows skin and background.

    Raises:
        DataError: it has another size.
        RunError: it does not distinguish skin and background.
    """
    if segmentation.labels.shape != photo.size:
        height, width = segmentation.labels.shape
        raise DataError(
            f"{where}: the segmenter returned {height}x{width} labels for a photo of "
            f"{photo.size[0]}x{photo.size[1]} (height x width)"
        )
    if not segmentation.regions.get("skin") or not segmentation.regions.get("background"):
        raise RunError(
            f"{where}: the segmenter does not find skin and background, which are removed; use one that does"
        )


_MIXED = 4
"""Number of points off the person from which a pose may mix several people."""

_AROUND = 0.04
"""Width of what is seen around the person at the second look, as a fraction of the person's height."""

_GRAY = 128


def posed(
    encoder: PoseEncoder[Any], photo: Photo, person: Mask, at: PointInPhoto | None = None
) -> list[Keypoints]:
    """Return the poses in a photo, that of the person first.

    Encoders that separate people poorly put an arm of one on another. If many points are not on the person,
    the encoder looks again with everything else grayed out. That pose is taken if it has at most half as many
    points off the person, and no fewer on it.

    Args:
        encoder: finds the poses.
        photo: the photo.
        person: where the person is, bool ``(H, W)``.
        at: a pixel of the person; None for the most prominent one.

    Raises:
        Rejected: the photo shows nobody, or no pose lies on the person.
        DataError: the poses cannot be found.
    """
    if not person.any():
        raise nobody()
    poses = encoder.people(photo)
    keypoints = _picked(poses, person, at)
    if keypoints is None:
        files = () if photo.path is None else encoder.sources(photo.path)
        source = f"{files[0]} has" if files else "the pose encoder found"
        place = "on the person" if at is None else "at {},{} (column, row)".format(*at)
        what = f"{counted(len(poses), 'pose')}, but none {place}" if poses else "no pose"
        advice = "check that it belongs to this photo" if files and poses else "try another pose encoder"
        if at is not None and poses:
            advice = "give a point on the trunk or the head"
        raise Rejected("no pose found", f"{source} {what}; {advice}")
    others = [each for each in poses if each is not keypoints]
    return [_unmixed(keypoints, encoder, photo, person, at), *others]


def _picked(poses: list[Keypoints], person: Mask, at: PointInPhoto | None) -> Keypoints | None:
    return pick_person(poses, person) if at is None else person_at(poses, at)


def pose_and_people(
    encoder: PoseEncoder[Any] | None, photo: Photo, segmentation: Segmentation
) -> tuple[Keypoints | None, int]:
    """Return the person's pose, None without a pose encoder, and the number of people in a photo.

    Raises:
        Rejected: the photo shows nobody, or no pose lies on the person.
        DataError: the poses cannot be found.
    """
    if encoder is None:
        if not segmentation.person.any():
            raise nobody()
        return None, people_count(segmentation, ())
    poses = posed(encoder, photo, segmentation.person)
    return poses[0], people_count(segmentation, poses)


def nobody() -> Rejected:
    """Return the reason why a photo without a person is rejected."""
    return Rejected("nobody in the photo", "the label map is all background; try another segmenter")


def _unmixed(
    pose: Keypoints, encoder: PoseEncoder[Any], photo: Photo, person: Mask, at: PointInPhoto | None
) -> Keypoints:
    """Return a pose that mixes people, or one that the encoder finds on the person alone."""
    if photo.path is not None and encoder.sources(photo.path):  # it would read the same files again
        return pose
    before = strays(pose, person)
    if before < _MIXED:
        return pose
    around = widened(person, _AROUND)[..., None]
    alone = replace(photo, pixels=np.where(around, photo.pixels, np.uint8(_GRAY)))
    found = _picked(encoder.people(alone), person, at)
    if found is None:
        return pose
    after = strays(found, person)
    lost = (pose.found().sum() - before) - (found.found().sum() - after)
    return found if after <= before / 2 and lost <= 0 else pose
