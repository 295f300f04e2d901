"""Splitting samples by a hash of their names or groups: adding samples never moves old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from skinfw.errors import DataError


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
    """Return a number in [0, 1) that depends on the name alone: SHA-256's first 8 bytes over 2^64."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big") / 2**64


def split_names(
    names: Iterable[str],
    test_fraction: float,
    validation_fraction: float,
    group: Callable[[str], str] = str,
) -> Split:
    """Sort samples into train, validation and test by the position of their groups.

    Args:
        names: all sample names.
        test_fraction: share of the test, in (0, 1).
        validation_fraction: share of the validation, in [0, 1); taken from what is no test.
        group: what is hashed for a name; samples of one group are on one side. The name itself by default.

    Raises:
        DataError: a side that was asked for got no sample.
    """
    train, validation, test = [], [], []
    groups = set()
    for name in names:
        groups.add(key := group(name))
        place = position(key)
        if place < test_fraction:
            test.append(name)
        elif place < test_fraction + validation_fraction:
            validation.append(name)
        else:
            train.append(name)
    total = len(train) + len(validation) + len(test)
    for side, found, asked in (
        ("training", train, True),
        ("test", test, True),
        ("validation", validation, validation_fraction > 0),
    ):
        if asked and not found:
            together = "" if len(groups) == total else f", in {len(groups)} groups that stay together,"
            raise DataError(
                f"none of the {total} samples{together} falls to the {side} side (test_fraction "
                f"{test_fraction}, validation_fraction {validation_fraction}); use more samples or other "
                "fractions"
            )
    return Split(tuple(train), tuple(validation), tuple(test))
