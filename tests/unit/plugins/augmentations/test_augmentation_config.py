from __future__ import annotations

from typing import Any

import pytest

from skinfw.components.config import AugmentationConfig
from skinfw.components.reference import use
from skinfw.components.registry import installed
from skinfw.errors import SpecError


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("scale", {"scale": [1.2, 0.8]}, "minimum must come first"),
        ("crop", {"side": [0.5, 1.5]}, "must be at most 1"),
        ("pad", {"side": [0.1, 1]}, "must be at least 0.25"),
        ("rotate", {"degrees": 200}, "must be at most 180"),
        ("affine", {"shear": 60}, "must be at most 45"),
        ("brightness", {"factor": [-0.1, 1]}, "must be at least 0"),
        ("contrast", {"factor": 0.5}, "must be a list"),
        ("skin_tone", {"lightness": -1}, "must be at least 0"),
        ("flip", {"probability": 1.1}, "must be at most 1"),
        ("flip", {"degrees": 3}, "unknown field"),
    ],
)
def test_values_out_of_range_are_refused(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        use("augmentation", name, **config)


def test_which_move_pixels_and_what_they_need() -> None:
    moving, needs = set(), {}
    for name in installed().names("augmentation"):
        config = use("augmentation", name).config
        assert isinstance(config, AugmentationConfig)
        if config.geometric:
            moving.add(name)
        if config.required_inputs:
            needs[name] = config.required_inputs
    assert moving >= {"flip", "scale", "crop", "pad", "rotate", "translate", "affine"}
    assert not moving & {"brightness", "contrast", "saturation", "hue", "skin_tone"}
    assert needs["skin_tone"] == ("face",)
