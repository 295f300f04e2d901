"""The parts of a body along its pose: which they are, and how far each pixel is from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints

Zone = Literal["elsewhere", "head", "neck", "torso", "arm", "hand", "thigh", "shin", "foot"]
ZONES: tuple[Zone, ...] = get_args(Zone)

Limb = Literal["neck", "upper_arms", "forearms", "thighs", "lower_legs"]
LIMBS: tuple[Limb, ...] = get_args(Limb)

LIMB_GROUPS: dict[str, tuple[Limb, ...]] = {
    "arms": ("upper_arms", "forearms"),
    "legs": ("thighs", "lower_legs"),
}
"""Names of several limbs together."""

Distances = NDArray[np.float32]
Point = NDArray[np.float64]

Pixels = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Rows and columns of pixels: of an image, ``(H, 1)`` and ``(W,)``, or of some pixels, both ``(N,)``."""

FOUND = 0.3
"""Minimum confidence of a keypoint."""

MAX_ARM = 1.1
"""Maximum length of an upper arm or forearm, in units of the trunk's length: longer ones join two people."""


MAX_UNIT = 1.6
"""Maximum ratio of a body's unit to the trunk's length between neck and hips; with more, a pose joins two
people. In the poses of 707 street photos it is at most 1.17."""


HalfWidths = tuple[float, float]
"""Half the width of a limb where it begins and where it ends, in units of the trunk's length."""

_HALF_WIDTHS: dict[Limb, HalfWidths] = {
    "neck": (0.08, 0.11),
    "upper_arms": (0.11, 0.07),
    "forearms": (0.08, 0.06),
    "thighs": (0.18, 0.11),
    "lower_legs": (0.12, 0.05),
}
"""Fit to bare limbs in street photos with label maps.

Arms and lower legs by the overlap (IoU) with the skin; thighs and necks by their median widths, as few photos
show a whole thigh and no outline ends a neck.
"""

_HAND: HalfWidths = (0.075, 0.075)
"""Three quarters of the zone's radius; hands were not measured."""


@dataclass(frozen=True)
class Part:
    """A part of the body: a line with a radius.

    Attributes:
        zone: the zone that it belongs to.
        begin: one end (x, y) in pixels.
        end: the other end.
        radius: that of the zone, in units of the trunk's length; larger than most limbs.
        limb: the limb that it is, or None.
        half_widths: those of a limb or hand itself; None for other parts.
    """

    zone: Zone
    begin: Point
    end: Point
    radius: float
    limb: Limb | None = None
    half_widths: HalfWidths | None = None


@dataclass(frozen=True)
class Body:
    """The parts of a body that a pose shows.

    Attributes:
        places: x and y of the points that were found, by name.
        unit: the approximate length of the trunk in pixels.
        parts: the parts between them.
    """

    places: Mapping[str, Point]
    unit: float
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, keypoints: Keypoints) -> Body | None:
        """Return the body of a pose; None if too few points were found to estimate its size.

        Args:
            keypoints: the pose, in pixels of the image.
        """
        places = {
            name: point[:2].astype(np.float64)
            for name in ("Nose", "Neck", "MidHip", *_sides("Eye", "Ear", "Shoulder", "Elbow", "Wrist", "Hip"),
                         *_sides("Knee", "Ankle", "BigToe", "Heel"))
            if (point := keypoints.point(name))[2] > FOUND
        }  # fmt: skip
        unit = _unit(places)
        return None if unit < 1 else cls(places, unit, tuple(_parts(places, unit)))

    @property
    def joins_people(self) -> bool:
        """Whether the lengths cannot be those of one body, upright and seen from the front."""
        ends = [self.places[name] for name in ("Neck", "MidHip") if name in self.places]
        return len(ends) == 2 and self.unit > MAX_UNIT * _length(*ends)

    def distance(self, part: Part, pixels: Pixels) -> Distances:
        """Return each pixel's squared distance from a part in radii.

        Args:
            part: one of `parts`.
            pixels: rows and columns, as `all_pixels` or `pixels_of` return them.
        """
        return squared_distance(part.begin, part.end, pixels) / np.float32((part.radius * self.unit) ** 2)

    def nearest(self, pixels: Pixels) -> tuple[NDArray[np.uint8], Distances]:
        """Return the index in `parts` of the nearest part of each pixel, and its squared distance in radii.

        Args:
            pixels: rows and columns, as `all_pixels` or `pixels_of` return them.
        """
        shape = np.broadcast_shapes(*(each.shape for each in pixels))
        nearest = np.full(shape, np.inf, np.float32)
        index = np.zeros(shape, np.uint8)
        for number, part in enumerate(self.parts):
            away = self.distance(part, pixels)
            closer = away < nearest
            np.copyto(nearest, away, where=closer)
            np.copyto(index, np.uint8(number), where=closer)
        return index, nearest


def all_pixels(size: Size) -> Pixels:
    """Return the rows and columns of an image.

    Args:
        size: height and width in pixels.
    """
    height, width = size
    return np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)


def pixels_of(mask: NDArray[np.bool_]) -> Pixels:
    """Return the rows and columns of the set pixels of a mask, in its order."""
    y, x = np.nonzero(mask)
    return y.astype(np.float32), x.astype(np.float32)


def squared_distance(begin: Point, end: Point, pixels: Pixels) -> Distances:
    """Return each pixel's squared distance from a line between two points.

    Args:
        begin: one end (x, y) in pixels.
        end: the other end.
        pixels: rows and columns.

    Returns:
        squared pixels, float32 of the shape that rows and columns have together.
    """
    return _along_and_away(begin, end, pixels)[1]


def in_strip(begin: Point, end: Point, radii: tuple[float, float], size: Size) -> NDArray[np.bool_]:
    """Return which pixels are in a strip with round ends that tapers from one radius to another.

    Args:
        begin: one end (x, y) in pixels.
        end: the other end.
        radii: in pixels, where it begins and where it ends.
        size: height and width of the image in pixels.

    Returns:
        bool ``(H, W)``.
    """
    found = np.zeros(size, bool)
    first, last = map(np.float32, radii)
    corners = np.stack([begin, end])
    left, top = np.floor(corners.min(axis=0) - max(radii)).astype(int).clip(0)
    right, bottom = np.ceil(corners.max(axis=0) + max(radii)).astype(int).clip(0) + 1
    box = found[top:bottom, left:right]
    y, x = all_pixels((box.shape[0], box.shape[1]))
    along, away = _along_and_away(begin, end, (y + np.float32(top), x + np.float32(left)))
    box[:] = away <= (first + along * (last - first)) ** 2
    return found


def _along_and_away(begin: Point, end: Point, pixels: Pixels) -> tuple[Distances, Distances]:
    """Return where the point of a line that is nearest to each pixel is, and how far away.

    The place is 0 where the line begins and 1 where it ends; the distance is in squared pixels.
    """
    y, x = pixels
    # plain floats: numpy's would double the size of every array
    (left, top), (right, down) = begin.tolist(), (end - begin).tolist()
    length = right**2 + down**2 or 1.0
    to_x, to_y = x - left, y - top
    along: Distances = (to_x * (right / length) + to_y * (down / length)).clip(0, 1)
    away: Distances = (to_x - along * right) ** 2 + (to_y - along * down) ** 2
    return along, away


def _sides(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}{name}" for name in names for side in "RL")


def _length(one: Point, other: Point) -> float:
    return float(np.linalg.norm(one - other))


def _unit(places: Mapping[str, Point]) -> float:
    """Return the approximate length of the trunk in pixels; 0 if it cannot be estimated."""
    pairs = [("Neck", "MidHip", 1.0), ("RShoulder", "LShoulder", 1.5)]
    pairs += [
        (f"{side}{one}", f"{side}{other}", 1.0)
        for side in "RL"
        for one, other in (("Hip", "Knee"), ("Knee", "Ankle"))
    ]
    lengths = [
        factor * _length(places[one], places[other])
        for one, other, factor in pairs
        if one in places and other in places
    ]
    # turning away only shortens distances
    return max(lengths, default=0.0)


def _parts(places: Mapping[str, Point], unit: float) -> list[Part]:
    joined: list[tuple[Zone, Limb | None, str, str, float]] = [("torso", None, "Neck", "MidHip", 0.2)]
    for side in "RL":
        joined += [
            ("arm", "upper_arms", f"{side}Shoulder", f"{side}Elbow", 0.12),
            ("arm", "forearms", f"{side}Elbow", f"{side}Wrist", 0.1),
            ("thigh", "thighs", f"{side}Hip", f"{side}Knee", 0.16),
            ("shin", "lower_legs", f"{side}Knee", f"{side}Ankle", 0.12),
            ("torso", None, f"{side}Shoulder", f"{side}Hip", 0.14),
        ]
    parts = [
        Part(zone, places[one], places[other], radius, limb, None if limb is None else _HALF_WIDTHS[limb])
        for zone, limb, one, other, radius in joined
        if one in places
        and other in places
        and (zone != "arm" or _length(places[one], places[other]) <= MAX_ARM * unit)
    ]
    head = [places[name] for name in ("Nose", *_sides("Eye", "Ear")) if name in places]
    if head:
        middle = np.mean(head, axis=0)
        parts.append(Part("head", middle, middle, 0.2))
    if "Neck" in places and "Nose" in places:
        neck, nose = places["Neck"], places["Nose"]
        parts.append(Part("neck", neck, neck + 0.35 * (nose - neck), 0.1, "neck", _HALF_WIDTHS["neck"]))
    for side in "RL":
        elbow, wrist, ankle = (places.get(f"{side}{name}") for name in ("Elbow", "Wrist", "Ankle"))
        if elbow is not None and wrist is not None and _length(elbow, wrist) <= MAX_ARM * unit:
            parts.append(Part("hand", wrist, wrist + 0.3 * (wrist - elbow), 0.1, half_widths=_HAND))
        if ankle is not None:
            toe = places.get(f"{side}BigToe", places.get(f"{side}Heel", ankle))
            parts.append(Part("foot", ankle, toe, 0.13))
    return parts
