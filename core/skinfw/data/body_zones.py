"""Locates the parts of the body in an image without its label map: by the pose or the outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.body_parts import (
    ZONES,
    Body,
    Distances,
    Zone,
    all_pixels,
    pixels_of,
    squared_distance,
)
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask

UNDECIDED = 255
"""Zone next to the body: it may be the edge of clothes, hair or background."""

ZoneMap = NDArray[np.uint8]
"""The index in `ZONES` of each pixel, or `UNDECIDED`, ``(H, W)``."""

_FAR = 4.0
"""Minimum distance of a pixel that is elsewhere from a part, in units of the part's radius."""


def zones_of_pose(
    keypoints: Keypoints, size: Size, reach: float = 1.0, *, within: Mask | None = None
) -> ZoneMap | None:
    """Return where the parts of a body are, based on its pose.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.
        reach: distance up to which a pixel belongs to a part, in units of the part's radius.
        within: the pixels of interest, bool ``(H, W)``: large images take less time. All others are
            undecided. None for all.

    Returns:
        the zones; None if too few points were found to estimate the body's size or to place a part.
    """
    body = Body.of(keypoints)
    if body is None or not body.parts:
        return None
    index, nearest = body.nearest(all_pixels(size) if within is None else pixels_of(within))
    zones = np.array([ZONES.index(part.zone) for part in body.parts], np.uint8)[index]
    zones[nearest > reach**2] = UNDECIDED
    zones[nearest > _FAR**2] = ZONES.index("elsewhere")
    if within is None:
        return zones
    placed = np.full(size, UNDECIDED, np.uint8)
    placed[within] = zones
    return placed


@dataclass(frozen=True)
class BodyDistances:
    """How far each pixel is from the parts of a body.

    Attributes:
        parts: for each zone that the pose has, the squared distance in radii of the part, float32 ``(H, W)``.
        hips: the distance from the line between the hips, in lengths of the trunk, float32 ``(H, W)``;
            infinite everywhere if no hip was found.
    """

    parts: dict[Zone, Distances]
    hips: Distances


def body_distances(keypoints: Keypoints, size: Size) -> BodyDistances | None:
    """Return how far each pixel is from the parts of a body.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.

    Returns:
        the distances; None if too few points were found to estimate the body's size.
    """
    body = Body.of(keypoints)
    if body is None:
        return None
    parts: dict[Zone, Distances] = {}
    for part in body.parts:
        away = body.distance(part, all_pixels(size))
        parts[part.zone] = np.minimum(parts[part.zone], away) if part.zone in parts else away
    hips = [body.places[name] for name in ("RHip", "LHip", "MidHip") if name in body.places]
    if not hips:
        return BodyDistances(parts, np.full(size, np.inf, np.float32))
    line = hips[0], hips[min(1, len(hips) - 1)]
    away = np.sqrt(squared_distance(*line, all_pixels(size)))
    return BodyDistances(parts, np.asarray(away / body.unit, np.float32))


_BANDS: tuple[tuple[Zone, float, float], ...] = (
    ("head", 0.0, 0.09),
    ("torso", 0.22, 0.42),
    ("thigh", 0.55, 0.65),
    ("shin", 0.78, 0.9),
    ("foot", 0.955, 1.0),
)
"""Parts of a standing person, as fractions of the person's height from the top."""


def zones_of_outline(person: Mask) -> ZoneMap | None:
    """Return where the parts of a standing person are, based on the person's outline.

    This is a guess that is right for most photos of a set: people may sit, or be cut off.

    Args:
        person: where the person is, bool ``(H, W)``.

    Returns:
        the zones, with the image's border elsewhere; None without a person.
    """
    rows = np.flatnonzero(person.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    zones = np.full(person.shape, UNDECIDED, np.uint8)
    for zone, begin, end in _BANDS:
        if bottom == len(person) and zone in ("thigh", "shin", "foot"):
            continue  # cut off at an unknown place
        band = slice(top + round(begin * (bottom - top)), max(top + 1, top + round(end * (bottom - top))))
        zones[band][person[band]] = ZONES.index(zone)
    for edge in (zones[0], zones[:, 0], zones[:, -1]):
        edge[:] = ZONES.index("elsewhere")
    return zones
