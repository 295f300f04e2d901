"""Locates the parts of the body in an image without its label map: by the pose or the outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask

Zone = Literal["elsewhere", "head", "neck", "torso", "arm", "hand", "thigh", "shin", "foot"]
ZONES: tuple[Zone, ...] = get_args(Zone)

UNDECIDED = 255
"""Zone next to the body: it may be the edge of clothes, hair or background."""

ZoneMap = NDArray[np.uint8]
"""The index in `ZONES` of each pixel, or `UNDECIDED`, ``(H, W)``."""

Distances = NDArray[np.float32]

_FOUND = 0.3
"""Minimum confidence of a keypoint."""

_FAR = 4.0
"""Minimum distance of a pixel that is elsewhere from a part, in units of the part's radius."""

_Segment = tuple[Zone, NDArray[np.float64], NDArray[np.float64], float]
"""A part of the body: its ends (x, y), and its radius in units of the trunk's length."""


def zones_of_pose(keypoints: Keypoints, size: Size, reach: float = 1.0) -> ZoneMap | None:
    """Return where the parts of a body are, based on its pose.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.
        reach: distance up to which a pixel belongs to a part, in units of the part's radius.

    Returns:
        the zones; None if too few points were found to estimate the body's size.
    """
    places = _places(keypoints)
    unit = _unit(places)
    if unit < 1:
        return None
    nearest = np.full(size, np.inf, np.float32)
    zones = np.zeros(size, np.uint8)
    for zone, away in _distances(places, unit, size):
        closer = away < nearest
        np.copyto(nearest, away, where=closer)
        np.copyto(zones, np.uint8(ZONES.index(zone)), where=closer)
    zones[nearest > reach**2] = UNDECIDED
    zones[nearest > _FAR**2] = ZONES.index("elsewhere")
    return zones


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
    places = _places(keypoints)
    unit = _unit(places)
    if unit < 1:
        return None
    parts: dict[Zone, Distances] = {}
    for zone, away in _distances(places, unit, size):
        parts[zone] = np.minimum(parts[zone], away) if zone in parts else away
    hips = [places[name] for name in ("RHip", "LHip", "MidHip") if name in places]
    if not hips:
        return BodyDistances(parts, np.full(size, np.inf, np.float32))
    away = np.sqrt(_squared_distance(hips[0], hips[min(1, len(hips) - 1)], size))
    return BodyDistances(parts, np.asarray(away / unit, np.float32))


LIMBS: tuple[Zone, ...] = ("neck", "arm", "hand", "thigh", "shin")
"""The parts of the body that garments leave bare."""


def limbs_of_pose(keypoints: Keypoints, size: Size, width: float = 1.0) -> Mask | None:
    """Return where the limbs and the neck of a body are, based on its pose: strips of fixed width.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.
        width: factor of the width of the zones, which are wider than most limbs.

    Returns:
        bool ``(H, W)``; None if too few points were found to estimate the body's size.
    """
    places = _places(keypoints)
    unit = _unit(places)
    if unit < 1:
        return None
    limbs = np.zeros(size, bool)
    for zone, away in _distances(places, unit, size):
        if zone in LIMBS:
            limbs |= away <= width**2
    return limbs


def _places(keypoints: Keypoints) -> dict[str, NDArray[np.float64]]:
    """Return x and y of the points that were found."""
    return {
        name: point[:2].astype(np.float64)
        for name in ("Nose", "Neck", "MidHip", *_sides("Eye", "Ear", "Shoulder", "Elbow", "Wrist", "Hip"),
                     *_sides("Knee", "Ankle", "BigToe", "Heel"))
        if (point := keypoints.point(name))[2] > _FOUND
    }  # fmt: skip


def _distances(
    places: dict[str, NDArray[np.float64]], unit: float, size: Size
) -> Iterator[tuple[Zone, Distances]]:
    """Yield each part of a body with each pixel's squared distance from it in radii."""
    for zone, begin, end, radius in _segments(places):
        yield zone, _squared_distance(begin, end, size) / (radius * unit) ** 2


def _squared_distance(begin: NDArray[np.float64], end: NDArray[np.float64], size: Size) -> Distances:
    """Return each pixel's squared distance from a line between two points, in pixels, float32 ``(H, W)``."""
    y, x = (np.arange(side, dtype=np.float32) for side in size)
    # plain floats: numpy's would double the size of every array
    (left, top), (right, down) = begin.tolist(), (end - begin).tolist()
    to_x, to_y = x - left, (y - top)[:, None]
    length = right**2 + down**2
    if length > 0:
        part = (to_x * (right / length) + to_y * (down / length)).clip(0, 1)
        to_x, to_y = to_x - part * right, to_y - part * down
    squared: Distances = to_x**2 + to_y**2
    return squared


def _sides(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}{name}" for name in names for side in "RL")


def _unit(places: dict[str, NDArray[np.float64]]) -> float:
    """Return the approximate length of the trunk in pixels; 0 if it cannot be estimated."""
    pairs = [("Neck", "MidHip", 1.0), ("RShoulder", "LShoulder", 1.5)]
    pairs += [
        (f"{side}{one}", f"{side}{other}", 1.0)
        for side in "RL"
        for one, other in (("Hip", "Knee"), ("Knee", "Ankle"))
    ]
    lengths = [
        factor * float(np.linalg.norm(places[one] - places[other]))
        for one, other, factor in pairs
        if one in places and other in places
    ]
    # turning away only shortens distances
    return max(lengths, default=0.0)


def _segments(places: dict[str, NDArray[np.float64]]) -> list[_Segment]:
    joined: list[tuple[Zone, str, str, float]] = [("torso", "Neck", "MidHip", 0.2)]
    for side in "RL":
        joined += [
            ("arm", f"{side}Shoulder", f"{side}Elbow", 0.12),
            ("arm", f"{side}Elbow", f"{side}Wrist", 0.1),
            ("thigh", f"{side}Hip", f"{side}Knee", 0.16),
            ("shin", f"{side}Knee", f"{side}Ankle", 0.12),
            ("torso", f"{side}Shoulder", f"{side}Hip", 0.14),
        ]
    segments: list[_Segment] = [
        (zone, places[one], places[other], radius)
        for zone, one, other, radius in joined
        if one in places and other in places
    ]
    head = [places[name] for name in ("Nose", *_sides("Eye", "Ear")) if name in places]
    if head:
        middle = np.mean(head, axis=0)
        segments.append(("head", middle, middle, 0.2))
    if "Neck" in places and "Nose" in places:
        neck, nose = places["Neck"], places["Nose"]
        segments.append(("neck", neck, neck + 0.35 * (nose - neck), 0.1))
    for side in "RL":
        elbow, wrist, ankle = (places.get(f"{side}{name}") for name in ("Elbow", "Wrist", "Ankle"))
        if elbow is not None and wrist is not None:
            segments.append(("hand", wrist, wrist + 0.3 * (wrist - elbow), 0.1))
        if ankle is not None:
            toe = places.get(f"{side}BigToe", places.get(f"{side}Heel", ankle))
            segments.append(("foot", ankle, toe, 0.13))
    return segments


_HIPS = 0.22
"""Radius of the hips around the line between the hip joints, in units of the trunk's length."""


def trunk_of_pose(keypoints: Keypoints, size: Size) -> Mask | None:
    """Return where the trunk and the hips of a body are, based on its pose.

    Args:
        keypoints: the pose, in pixels of the image.
        size: height and width of the image in pixels.

    Returns:
        bool ``(H, W)``; None if too few points were found.
    """
    zones = zones_of_pose(keypoints, size)
    if zones is None:
        return None
    trunk: Mask = zones == ZONES.index("torso")
    joints = [keypoints.point(name) for name in ("RHip", "MidHip", "LHip")]
    found = [point[:2] for point in joints if point[2] > _FOUND]
    neck, middle = keypoints.point("Neck"), keypoints.point("MidHip")
    if found and min(neck[2], middle[2]) > _FOUND:
        radius = max(1, round(_HIPS * float(np.linalg.norm(neck[:2] - middle[:2]))))
        places = np.clip(np.rint(found), -(2**14), 2**14).astype(np.int32)
        hips = np.zeros(size, np.uint8)
        cv2.polylines(hips, [places.reshape(-1, 1, 2)], isClosed=False, color=1, thickness=2 * radius)
        trunk |= hips.astype(bool)
    return trunk


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
