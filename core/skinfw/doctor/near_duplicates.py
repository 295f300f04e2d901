"""Checks of the whole set: the same image twice, and one person on both sides of the split."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from skinfw.data.hash_index import HashIndex
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Side
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import Finding
from skinfw.doctor.opened import Opened
from skinfw.preparation.duplicates import perceptual_hash

SMALL = 32
"""Side in pixels of the small images that confirm hash matches."""

_BLOCKS = 4
"""Blocks per side whose means are compared before the pixels."""

_ROUNDING = 1e-3

_FIRST_CHUNK = 16
"""Number of images compared at a time initially."""

_ACROSS = 50.0
"""Severity of a person on both sides: the test would measure memorization."""

_PERSON = re.compile(r"id_?(\d{8})")


@dataclass(frozen=True)
class Look:
    """Identifies a sample's image and person.

    Attributes:
        name: the sample's name.
        source: the photo's path from ``sample.json``; empty if missing.
        hash: perceptual hash of the person, see `skinfw.preparation.duplicates.perceptual_hash`.
        small: the person at `SMALL` pixels per side, uint8 RGB.
    """

    name: str
    source: str
    hash: str
    small: RgbImage


def look_of(sample: Opened) -> Look | None:
    """Return what identifies the image of a sample, or None if it shows nobody.

    The person is cropped first: white margins make images similar.
    """
    if sample.body is None or sample.person is None or not sample.person.any():
        return None
    rows, columns = np.nonzero(sample.person)
    body = sample.body[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small = resize_image(np.ascontiguousarray(body), (SMALL, SMALL))
    return Look(sample.name, str(sample.record.get("source", "")), perceptual_hash(body), small)


def check_near_duplicates(
    looks: Sequence[Look], config: DoctorConfig, sides: Mapping[str, Side]
) -> Iterator[Finding]:
    """Report samples that show nearly the same image as another one, with higher severity across the split.

    A sample is reported once with the first earlier sample on its own side, and once with the first on each
    other side. So the number of findings grows with the samples, not with the pairs: of many copies of one
    image, each refers to the first.

    Args:
        looks: all samples that show a person.
        config: what counts as a near-duplicate.
        sides: the side of each sample by name.
    """
    for one, other, bits in _pairs(looks, config, sides):
        near = f"nearly the same image (perceptual hashes differ in {bits} of 64 bits)"
        of_one, of_other = sides[one.name], sides[other.name]
        if of_one == of_other:
            severity = 1.0 + config.near_duplicate_distance - bits
            message = f"{one.name} and {other.name} show {near}; exclude one of them"
            yield Finding("near duplicates", (one.name, other.name), severity, message)
        else:
            message = f"{one.name} ({of_one}) and {other.name} ({of_other}) show {near}; exclude one of them"
            yield Finding("split", (one.name, other.name), _ACROSS, message)


def check_people(looks: Sequence[Look], sides: Mapping[str, Side]) -> Iterator[Finding]:
    """Report people, known by their DeepFashion id, with samples on more than one side of the split."""
    people: dict[str, list[str]] = defaultdict(list)
    for look in looks:
        found = _PERSON.search(look.name) or _PERSON.search(look.source)
        if found:
            people[found.group(1)].append(look.name)
    for number, names in people.items():
        members: dict[Side, list[str]] = defaultdict(list)
        for name in names:
            members[sides[name]].append(name)
        if len(members) > 1:
            counts = ", ".join(f"{len(there)} in {each}" for each, there in members.items())
            yield Finding(
                "split",
                tuple(sorted(names)),
                _ACROSS,
                f"the split separates the samples of the person id_{number} ({counts}); put them into a "
                f"folder id_{number}, so that they stay together",
            )


def _pairs(
    looks: Sequence[Look], config: DoctorConfig, sides: Mapping[str, Side]
) -> Iterator[tuple[Look, Look, int]]:
    """Yield the pairs that `check_near_duplicates` reports, with the number of differing bits."""
    if not looks:
        return
    index = HashIndex(config.near_duplicate_distance, [look.hash for look in looks])
    images = _Images([look.small for look in looks], config.near_duplicate_difference)
    numbers = {side: number for number, side in enumerate(get_args(Side))}
    of_side = np.array([numbers[sides[look.name]] for look in looks])
    for place, look in enumerate(looks):
        near = index.near(look.hash)
        near = near[: np.searchsorted(near, place)]
        for number in numbers.values():
            other = images.first_alike(place, near[of_side[near] == number])
            if other is not None:
                yield looks[other], look, index.distance(other, look.hash)


class _Images:
    """Small images, compared by the mean difference of their pixels.

    Args:
        images: uint8 RGB, `SMALL` pixels per side.
        most: the maximum mean difference, of 255, of similar images.
    """

    def __init__(self, images: Sequence[RgbImage], most: float) -> None:
        self._most = most
        self._images = np.stack(images)
        side = SMALL // _BLOCKS
        blocks = self._images.reshape(-1, _BLOCKS, side, _BLOCKS, side, 3)
        self._means = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(images), -1)

    def first_alike(self, place: int, others: NDArray[np.int64]) -> int | None:
        """Return the first of other images similar to the one at a place; None if there is none."""
        start, length = 0, _FIRST_CHUNK
        while start < len(others):
            chunk = others[start : start + length]
            # block means never differ by more than the pixels
            apart = np.abs(self._means[chunk] - self._means[place]).mean(axis=1)
            for other in chunk[apart <= self._most + _ROUNDING].tolist():
                if np.abs(self._images[other].astype(np.int16) - self._images[place]).mean() <= self._most:
                    return int(other)
            # with near-duplicates the first ones match: most are never compared
            start, length = start + length, 2 * length
        return None
