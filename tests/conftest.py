"""Tiny jobs that the tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SpecValue = dict[str, Any]


@pytest.fixture
def tiny_spec() -> Callable[..., SpecValue]:
    """Make the JSON value of a spec that trains in about a second; keywords replace whole fields."""

    def make(**fields: Any) -> SpecValue:
        return {
            "name": "tiny",
            "data": {
                "dataset": {"type": "mannequins", "count": 40},
                "size": [32, 32],
                "test_fraction": 0.2,
                "validation_fraction": 0.2,
            },
            "generator": {"type": "pix2pix", "base_channels": 4, "dropout": 0.3},
            "discriminator": {"type": "patchgan", "patch": 16, "base_channels": 4},
            "losses": [{"type": "l1", "weight": 100}, "gan"],
            "composite": "skin",
            "metrics": ["psnr"],
            "training": {"epochs": 2, "batch_size": 4, "device": "cpu", "threads": 1},
            **fields,
        }

    return make
