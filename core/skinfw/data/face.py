"""Finds the face: from the label map if it has face classes, otherwise from the head's keypoints."""

from __future__ import annotations

import re
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask

_FACE_RADII = (
    ("REar", "LEar", 0.6),
    ("REye", "LEye", 1.3),
    ("Nose", "Neck", 0.5),
    ("REye", "REar", 0.9),
    ("LEye", "LEar", 0.9),
)
"""Pairs of keypoints whose distance times the factor is about half the face's height: rough proportions of a
head in front view. The largest one counts, because turning the head only shortens distances."""


_FACE_CLASS = re.compile(r"(.*[ _-])?face([ _-](skin|neck))?", re.IGNORECASE)


def face_classes(classes: Iterable[str]) -> tuple[str, ...]:
    """Return a label map's face classes.

    These are ``face`` (ATR, LIP, CIHP, DeepFashion), ``left_face`` and ``right_face`` (BodyPix),
    ``face_skin`` (MediaPipe) and ``face_neck`` (Sapiens, which does not separate the two), ignoring case.

    Example:
        >>> face_classes(["background", "left_face", "torso", "face_neck"])
        ('left_face', 'face_neck')
    """
    return tuple(name for name in classes if _FACE_CLASS.fullmatch(name))


def face_from_keypoints(keypoints: Keypoints, size: Size) -> Mask | None:
    """Estimate where the face is from nose, eyes and ears.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.

    Returns:
        a disc, bool ``(H, W)``; empty if neither nose nor eyes were found (the person is seen from the
        back); None if the pose has too few points on the head.
    """

    def place(name: str) -> NDArray[np.float64] | None:
        point = keypoints.point(name)
        return point[:2].astype(np.float64) if point[2] > 0 else None

    mask = np.zeros(size, np.uint8)
    found = [spot for name in ("Nose", "REye", "LEye") if (spot := place(name)) is not None]
    if not found:
        return mask.astype(bool) if place("Neck") is not None else None
    radii = [
        factor * float(np.hypot(*(first - second)))
        for one, other, factor in _FACE_RADII
        if (first := place(one)) is not None and (second := place(other)) is not None
    ]
    if not radii:
        return None
    x, y = np.mean(found, axis=0)
    cv2.circle(mask, (round(x), round(y)), max(1, round(max(radii))), 1, cv2.FILLED)
    return mask.astype(bool)
