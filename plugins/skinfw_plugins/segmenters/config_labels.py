"""How configurations specify the classes of a label map and their regions. Light: pydantic only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from skinfw.components.regions import RegionName
from skinfw.components.strict_model import StrictModel
from skinfw.errors import listed

LabelSetName = Literal[
    "atr", "lip", "cihp", "pascal_person_part", "deepfashion", "deepfashion_multimodal", "ccp", "bodypix",
    "sapiens", "mediapipe", "fashn",
]  # fmt: skip
"""The names of `skinfw_plugins.segmenters.label_sets.LABEL_SETS`."""


def check_regions(regions: dict[RegionName, tuple[str, ...]]) -> dict[RegionName, tuple[str, ...]]:
    """Reject a table that lists a class twice, in one region or in two."""
    counts = Counter(name for members in regions.values() for name in members)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise PydanticCustomError("class_twice", f"{quoted(twice)} is listed more than once")
    return regions


def quoted(names: Iterable[str]) -> str:
    """Return names in quotes, separated by commas; only the first of many."""
    return listed([repr(name) for name in names])


class CustomLabels(StrictModel):
    """A custom label set."""

    classes: tuple[str, ...] = Field(
        min_length=1, max_length=256, description="the name of each class in the order of their codes, from 0"
    )
    regions: dict[RegionName, tuple[str, ...]] = Field(
        min_length=1,
        description="for each region that the set has, the names of its classes; a class that is not listed "
        "belongs to no region",
    )

    @model_validator(mode="after")
    def _check_names(self) -> CustomLabels:
        check_regions(self.regions)
        if len(set(self.classes)) < len(self.classes):
            raise PydanticCustomError("class_twice", "classes contains a name more than once")
        unknown = {name for members in self.regions.values() for name in members} - set(self.classes)
        if unknown:
            raise PydanticCustomError(
                "unknown_class", f"regions lists {quoted(sorted(unknown))}, which is not in classes"
            )
        return self


def _tag(value: Any) -> str:
    return "custom" if isinstance(value, dict | CustomLabels) else "name"


Labels = Annotated[
    Annotated[LabelSetName, Tag("name")] | Annotated[CustomLabels, Tag("custom")],
    # the tag is chosen here, so that an error is reported once instead of for each alternative
    Discriminator(_tag),
]
"""A label set by name, or a custom one as an object with classes and regions."""
