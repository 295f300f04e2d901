"""Which label set a component's label maps are of, as configurations say it. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from skinfw.config import StrictModel
from skinfw.regions import RegionName

LabelSetName = Literal[
    "atr",
    "lip",
    "cihp",
    "pascal_person_part",
    "deepfashion",
    "deepfashion_multimodal",
    "ccp",
    "bodypix",
    "sapiens",
    "mediapipe",
]


class CustomLabels(StrictModel):
    """A label set of one's own."""

    classes: tuple[str, ...] = Field(
        min_length=2, max_length=256, description="names of the classes in the order of their codes, from 0"
    )
    regions: dict[RegionName, tuple[str, ...]] = Field(
        description="for each region that the label set can tell, the names of its classes"
    )

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise PydanticCustomError("classes", "a class stands twice; give each code a name of its own")
        return value

    @field_validator("regions")
    @classmethod
    def _check_regions(cls, value: Mapping[str, tuple[str, ...]], info: Any) -> Mapping[str, tuple[str, ...]]:
        named = [name for members in value.values() for name in members]
        unknown = [name for name in named if name not in info.data.get("classes", named)]
        if unknown:
            raise PydanticCustomError("regions", f"{unknown[0]!r} is none of the classes")
        if len(set(named)) != len(named):
            raise PydanticCustomError("regions", "a class stands in two regions; name it once")
        return value


def _tag(value: Any) -> str:
    return "custom" if isinstance(value, dict | CustomLabels) else "name"


Labels = Annotated[
    Annotated[LabelSetName, Tag("name")] | Annotated[CustomLabels, Tag("custom")],
    # told apart by hand, so that a fault is told once and not for each alternative
    Discriminator(_tag),
]
"""A label set by name, or one's own as an object with classes and regions."""
