"""Splitting samples by a hash of their names or groups: adding samples moves none from training to test."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from skinfw.errors import DataError

logger = logging.getLogger("skinfw")

Side = Literal["training", "validation", "test"]


@dataclass(frozen=True)
class Split:
    """The names of the samples on each side.

    Attributes:
        train: samples to train on.
        validation: samples to choose the best checkpoint on; may be empty.
        test: samples to measure on at the end.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def position(name: str) -> float:
    """Return a number in [0, 1) that depends on the name alone: SHA-256's first 8 bytes over 2^64.

    Example:
        >>> round(position("anna/front"), 4)
        0.3278
    """
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big") / 2**64


def group_sides(
    groups: Iterable[str], test_fraction: float, validation_fraction: float
) -> tuple[dict[str, Side], list[Side]]:
    """Put groups on the sides by their positions: the lowest are the test, the next the validation.

    As long as there are as many groups as sides, none of the sides stays empty: it gets the group whose
    position is next to its own fraction.

    Args:
        groups: the groups.
        test_fraction: fraction of the test, in (0, 1).
        validation_fraction: fraction of the validation, in [0, 1); 0 for no such side.

    Returns:
        the side of each group, and the sides that would have been empty.
    """
    ordered = sorted(set(groups), key=lambda group: (position(group), group))
    places = [position(group) for group in ordered]
    validated = int(validation_fraction > 0)
    test = sum(place < test_fraction for place in places)
    held_out = sum(place < test_fraction + validation_fraction for place in places)
    counts: dict[Side, int] = {"test": test, "training": len(ordered) - held_out}
    counts |= {"validation": held_out - test} if validated else {}
    if len(ordered) >= 2 + validated:
        test = min(max(test, 1), len(ordered) - 1 - validated)
        held_out = min(max(held_out, test + validated), len(ordered) - 1)
    sides: dict[str, Side] = {
        group: "test" if index < test else "validation" if index < held_out else "training"
        for index, group in enumerate(ordered)
    }
    return sides, [side for side, count in counts.items() if not count]


def split_names(
    names: Iterable[str],
    test_fraction: float,
    validation_fraction: float,
    group: Callable[[str], str] = str,
) -> Split:
    """Sort samples into train, validation and test by the position of their groups; see `group_sides`.

    Args:
        names: all sample names.
        test_fraction: fraction of the test, in (0, 1).
        validation_fraction: fraction of the validation, in [0, 1); taken from what is not test.
        group: what is hashed for a name; samples of one group are on one side. The name itself by default.

    Raises:
        DataError: there are fewer groups than sides.

    Example:
        >>> split = split_names([f"{number:03}" for number in range(100)], 0.2, 0.1)
        >>> len(split.train), len(split.validation), len(split.test)
        (66, 14, 20)
    """
    keys = {name: group(name) for name in names}
    sides, empty = group_sides(keys.values(), test_fraction, validation_fraction)
    wanted = 2 + (validation_fraction > 0)
    if len(sides) < wanted:
        what = f"{len(keys)} sample{'' if len(keys) == 1 else 's'}"
        if len(sides) < len(keys):
            what += f" in {len(sides)} group{'' if len(sides) == 1 else 's'} that must stay together"
        raise DataError(
            f"{what} cannot fill {wanted} sides (training, test"
            f"{', validation' if validation_fraction > 0 else ''}); use more samples"
            + (" of other people" if len(sides) < len(keys) else "")
            + (", or set validation_fraction to 0" if len(sides) == 2 else "")
        )
    if empty:
        logger.warning(
            "the data set is small: by their hashes, none of the %d samples would be on the %s side, so the "
            "samples with the nearest hashes are; do not rely on the metrics",
            len(keys),
            " or the ".join(empty),
        )
    found: dict[Side, list[str]] = {"training": [], "validation": [], "test": []}
    for name, key in keys.items():
        found[sides[key]].append(name)
    return Split(tuple(found["training"]), tuple(found["validation"]), tuple(found["test"]))
