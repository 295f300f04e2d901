"""Checks over the whole set: the same picture twice, and one person on both sides of the split."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skinfw.data.resize import resize_picture
from skinfw.data.segmentation import Picture
from skinfw.data.split import position
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import Finding
from skinfw.doctor.opened import Opened
from skinfw.preparation.duplicates import near_pairs, perceptual_hash

SMALL = 32
"""Side of the small pictures, in pixels, that confirm what the hashes say."""

_ACROSS = 50.0
"""Severity of a person on both sides: the test measures memory then."""

_PERSON = re.compile(r"id_?(\d{8})")


@dataclass(frozen=True)
class Look:
    """What tells a sample's picture and person.

    Attributes:
        name: the sample's name.
        source: the photo's path, as ``sample.json`` tells it; empty where it does not.
        hash: perceptual hash of the person, see `skinfw.preparation.duplicates.perceptual_hash`.
        small: the person at `SMALL` pixels a side, uint8 RGB.
    """

    name: str
    source: str
    hash: str
    small: Picture


def look_of(sample: Opened) -> Look | None:
    """Return what tells the picture of a sample, or None where it shows nobody.

    The person is cut out first: white margins make pictures alike.
    """
    if sample.body is None or sample.person is None or not sample.person.any():
        return None
    rows, columns = np.nonzero(sample.person)
    body = sample.body[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small = resize_picture(np.ascontiguousarray(body), (SMALL, SMALL))
    return Look(sample.name, str(sample.record.get("source", "")), perceptual_hash(body), small)


def check_twins(
    looks: Sequence[Look], config: DoctorConfig, group: Callable[[str], str]
) -> Iterator[Finding]:
    """Tell pairs of nearly the same picture; across the split they are worse.

    Args:
        looks: all samples that show somebody.
        config: what counts as a twin, and the split's fractions.
        group: what the split goes by, as `skinfw.interfaces.Dataset.group`.
    """
    for one, other, bits in _pairs(looks, config):
        sides = [side(group(look.name), config) for look in (one, other)]
        near = (
            f"{one.name} and {other.name} are nearly the same picture ({bits} of 64 bits of the hash differ)"
        )
        if sides[0] == sides[1]:
            severity = 1.0 + config.twin_distance - bits
            yield Finding("twins", (one.name, other.name), severity, f"{near}; strike one of them out")
        else:
            told = f"{near}, and one is for {sides[0]}, the other for {sides[1]}; strike one of them out"
            yield Finding("split", (one.name, other.name), _ACROSS, told)


def check_people(
    looks: Sequence[Look], config: DoctorConfig, group: Callable[[str], str]
) -> Iterator[Finding]:
    """Tell people, known by their DeepFashion id, with samples on more than one side of the split."""
    people: dict[str, list[str]] = defaultdict(list)
    for look in looks:
        found = _PERSON.search(look.name) or _PERSON.search(look.source)
        if found:
            people[found.group(1)].append(look.name)
    for number, names in people.items():
        sides: dict[str, list[str]] = defaultdict(list)
        for name in names:
            sides[side(group(name), config)].append(name)
        if len(sides) > 1:
            told = ", ".join(f"{len(members)} for {each}" for each, members in sides.items())
            yield Finding(
                "split",
                tuple(sorted(names)),
                _ACROSS,
                f"the person id_{number} has {told}; put the samples into a folder id_{number}, so that they "
                "stay together",
            )


def side(group: str, config: DoctorConfig) -> str:
    """Return on which side of the split a group falls: test, validation or training."""
    place = position(group)
    if place < config.test_fraction:
        return "test"
    return "validation" if place < config.test_fraction + config.validation_fraction else "training"


def _pairs(looks: Sequence[Look], config: DoctorConfig) -> Iterator[tuple[Look, Look, int]]:
    """Yield the pairs whose hashes and small pictures are close, with the bits in which the hashes differ."""
    for first, second in near_pairs([look.hash for look in looks], config.twin_distance):
        one, other = looks[first], looks[second]
        apart = np.abs(one.small.astype(np.int16) - other.small).mean()
        if apart <= config.twin_difference:
            yield one, other, (int(one.hash, 16) ^ int(other.hash, 16)).bit_count()
