"""Splits samples by a hash of their names or groups, so that adding samples moves none from training to test.

In very small data sets, the sides that would be empty make exceptions; see `group_sides`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from skinfw.errors import DataError, counted

logger = logging.getLogger("skinfw")

Side = Literal["training", "validation", "test"]


@dataclass(frozen=True)
class Split:
    """The names of the samples in each part.

    Attributes:
        train: training samples.
        validation: samples that choose the best checkpoint; may be empty.
        test: samples for the final evaluation.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def position(name: str) -> float:
    """Return a number in [0, 1) that depends only on the name: SHA-256's first 8 bytes over 2^64.

    Example:
        >>> round(position("anna/front"), 4)
        0.3278
    """
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big") / 2**64


def group_sides(
    groups: Iterable[str], test_fraction: float, validation_fraction: float
) -> tuple[dict[str, Side], list[Side]]:
    """Assign groups to sides by position: the lowest are the test side, the next the validation side.

    No side is empty if there are at least as many groups as sides: an empty side gets the group whose
    position is nearest to its range.

    Args:
        groups: the groups.
        test_fraction: fraction of the test side, in (0, 1).
        validation_fraction: fraction of the validation side, in [0, 1); 0 for none.

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
    """Split samples into train, validation and test by the position of their groups; see `group_sides`.

    Args:
        names: all sample names.
        test_fraction: fraction of the test side, in (0, 1).
        validation_fraction: fraction of the validation side, in [0, 1); taken from what is not test.
        group: the text that is hashed for a name; samples of one group are on one side. Default: the name.

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
    what = counted(len(keys), "sample")
    if len(sides) < len(keys):
        what += f" in {counted(len(sides), 'group')} that must stay together"
    if len(sides) < wanted:
        raise DataError(
            f"{what} cannot fill {wanted} sides (training, test"
            f"{', validation' if validation_fraction > 0 else ''}); use more samples"
            + (" of other people" if len(sides) < len(keys) else "")
            + (", or set validation_fraction to 0" if len(sides) == 2 else "")
        )
    if empty:
        logger.warning("only %s: too few to rely on the metrics", what)
    found: dict[Side, list[str]] = {"training": [], "validation": [], "test": []}
    for name, key in keys.items():
        found[sides[key]].append(name)
    return Split(tuple(found["training"]), tuple(found["validation"]), tuple(found["test"]))
