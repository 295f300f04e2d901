"""How configurations say what a network's classes mean. Light: pydantic only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from skinfw.config import StrictModel

RegionField = Literal["background", "skin", "head", "feet", "apparel"]
"""The five regions, as `skinfw.data.segmentation.RegionName` has them."""

LabelSetName = Literal[
    "atr", "lip", "cihp", "pascal_person_part", "deepfashion", "deepfashion_multimodal", "ccp", "bodypix",
    "sapiens", "mediapipe",
]  # fmt: skip
"""The names of `skinfw_plugins.segmenters.label_sets.LABEL_SETS`."""


def check_regions(regions: dict[RegionField, tuple[str, ...]]) -> dict[RegionField, tuple[str, ...]]:
    """Refuse a table that puts one class into two regions, or names it twice."""
    counts = Counter(name for members in regions.values() for name in members)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise PydanticCustomError("class_twice", f"{listed(twice)} stands in it more than once")
    return regions


def listed(names: Iterable[str]) -> str:
    """Return names in quotes, divided by commas."""
    return ", ".join(repr(name) for name in names)


class CustomLabels(StrictModel):
    """A label set of one's own."""

    classes: tuple[str, ...] = Field(
        min_length=1, max_length=256, description="the name of each of the network's classes, from code 0"
    )
    regions: dict[RegionField, tuple[str, ...]] = Field(
        min_length=1,
        description="for each region that the network can tell, the names of its classes; a class in none "
        "of them belongs to no region",
    )

    @model_validator(mode="after")
    def _check_names(self) -> CustomLabels:
        check_regions(self.regions)
        if len(set(self.classes)) < len(self.classes):
            raise PydanticCustomError("class_twice", "classes holds one name more than once")
        unknown = {name for members in self.regions.values() for name in members} - set(self.classes)
        if unknown:
            raise PydanticCustomError(
                "unknown_class", f"regions names {listed(sorted(unknown))}, which classes does not hold"
            )
        return self
