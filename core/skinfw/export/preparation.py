"""How the photos of a run were prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skinfw.data.aspect import read_aspects
from skinfw.preparation.config import PersonCrop, PrepareConfig
from skinfw.specs.spec import Spec


def preparation_of(spec: Spec, about: Mapping[str, Any]) -> dict[str, float | int]:
    """Return the values of `skinfw.runtime.preparation.Preparation` for a run.

    Args:
        spec: the filled spec.
        about: the metadata of the checkpoint.
    """
    fields = vars(spec.data.dataset.config).values()
    prepare = next((value for value in fields if isinstance(value, PrepareConfig)), PrepareConfig())
    low, high = read_aspects(about.get("aspects"), spec.data.size)
    made: dict[str, float | int] = {"aspect": (low * high) ** 0.5, "removed_margin": prepare.margin}
    if isinstance(prepare.crop, PersonCrop):
        made |= {"aspect": prepare.crop.aspect, "crop_margin": prepare.crop.margin}
    return made
