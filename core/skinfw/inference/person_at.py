"""The people in a photo: first the one to paint, who is the most prominent one or the one at a point."""

from __future__ import annotations

from typing import Any

from skinfw.data.keypoints import Keypoints
from skinfw.data.people import PointInPhoto
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError, UserError
from skinfw.inference.source_photo import SourcePhoto
from skinfw.interfaces import PoseEncoder
from skinfw.preparation.person import posed
from skinfw.preparation.report import Rejected


def parse_point(text: str) -> PointInPhoto:
    """Return the column and the row in a text.

    Raises:
        UserError: it is not two numbers from 0.

    Example:
        >>> parse_point("120, 48")
        (120, 48)
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UserError(
            f"{text!r} is not a point; give the column and the row of a pixel, from 0 at the top left, for "
            "instance 120,48"
        )
    return int(parts[0]), int(parts[1])


def check_one_person(at: PointInPhoto | None, keypoints: Keypoints | None) -> None:
    """Raise UserError if both a point and a pose choose the person."""
    if at is not None and keypoints is not None:
        raise UserError("keypoints are those of the person to paint; leave person out")


def _check_point(at: PointInPhoto, labels: Segmentation, person: Mask, where: object) -> None:
    """Check that a point is on a person.

    Args:
        at: column and row of a pixel.
        labels: the photo's label map.
        person: where the person may be, bool ``(H, W)``.
        where: names the photo in errors.

    Raises:
        DataError: it is outside the photo, on the background, or on another person.
    """
    column, row = at
    height, width = labels.labels.shape
    if not (0 <= column < width and 0 <= row < height):
        raise DataError(
            f"{where}: the person's point {column},{row} (column, row) is outside the photo, which has "
            f"{width}x{height} pixels (width x height)"
        )
    if not labels.person[row, column]:
        raise DataError(f"{where}: no person at {column},{row} (column, row); give a point on one")
    if not person[row, column]:
        raise DataError(
            f"{where}: what is marked is not on the person at {column},{row} (column, row); give a point on "
            "the person with the marks, or leave it out"
        )


def people_of(
    encoder: PoseEncoder[Any],
    source: SourcePhoto,
    labels: Segmentation,
    person: Mask,
    at: PointInPhoto | None,
) -> list[Keypoints]:
    """Return the poses of the person to paint and then of others.

    Args:
        encoder: finds the poses.
        source: the photo.
        labels: its label map.
        person: where the person may be, bool ``(H, W)``.
        at: column and row of a pixel of the person; None for the most prominent one.

    Raises:
        DataError: the pose cannot be found, or no person is at the point.
    """
    if at is not None:
        _check_point(at, labels, person, source.where)
    try:
        return posed(encoder, source.photo, person, at)
    except Rejected as rejected:
        raise DataError(f"{source.where}: {rejected.reason}: {rejected.detail}") from None
