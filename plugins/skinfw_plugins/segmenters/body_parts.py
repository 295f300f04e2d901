"""The body parts of a part map's classes, recognized by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Part = Literal[
    "background", "head", "upper_arm", "lower_arm", "hand", "torso", "upper_leg", "lower_leg", "foot"
]
PARTS: tuple[Part, ...] = get_args(Part)

_WORDS: tuple[tuple[str, Part], ...] = (
    ("upper_arm", "upper_arm"),
    ("lower_arm", "lower_arm"),
    ("upper_leg", "upper_leg"),
    ("lower_leg", "lower_leg"),
    ("hand", "hand"),
    ("torso", "torso"),
    ("feet", "foot"),
    ("foot", "foot"),
    ("shoe", "foot"),
    ("face", "head"),
    ("head", "head"),
    ("hair", "head"),
    ("background", "background"),
)


def part_codes(classes: Sequence[str]) -> NDArray[np.uint8]:
    """Return the index in `PARTS` of each class, uint8 ``(N,)``.

    Words in the names determine the part, as in BodyPix and Pascal-Person-Part:
    ``left_upper_arm_front``, ``lower_legs``, ``torso_back``, ``right_feet``.

    Raises:
        ValueError: a class name matches no body part.
    """
    codes = []
    for name in classes:
        part = next((part for word, part in _WORDS if word in name), None)
        if part is None:
            raise ValueError(f"{name!r} is not a body part")
        codes.append(PARTS.index(part))
    return np.array(codes, np.uint8)
