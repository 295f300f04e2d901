"""Random choices: `Generator.choice` takes ten times as long, and a person needs about thirty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def one_of(random: np.random.Generator, options: Sequence[Option]) -> Option:
    """Draw one of several equally likely options."""
    return options[int(random.random() * len(options))]


def pick(random: np.random.Generator, chances: Mapping[Option, float]) -> Option:
    """Draw one of several options by their probabilities, which add up to 1."""
    left = random.random()
    for option, chance in chances.items():
        left -= chance
        if left < 0:
            return option
    return next(reversed(list(chances)))  # the probabilities fell short of 1 by a rounding error


def within(random: np.random.Generator, ranges: Mapping[tuple[float, float], float]) -> float:
    """Draw a number uniformly from a range that is itself drawn by its probability."""
    low, high = pick(random, ranges)
    return random.uniform(low, high)
