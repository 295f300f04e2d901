"""One training sample of a data set. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from skinfw.components.config import Size
from skinfw.data.field_types import Field, Resized


@dataclass(frozen=True)
class Sample:
    """One sample: named fields, all of one size.

    Samples of people have `skinfw.components.field_names.APPAREL`, ``BODY``, ``KEEP``, ``MASK`` and ``SKIN``,
    the requested inputs, and ``KEYPOINTS`` if requested. Samples for training a segmentation network have
    ``IMAGE`` and ``LABELS``.

    Attributes:
        name: unique within the data set; the split and the output files use it.
        fields: values with their types, by name.
        source_size: height and width before resizing; None if it was not resized.
    """

    name: str
    fields: Mapping[str, Field]
    source_size: Size | None = None

    def __getitem__(self, name: str) -> Any:
        return self.fields[name].value

    def __contains__(self, name: str) -> bool:
        return name in self.fields


def resized(fields: Mapping[str, Field], old_size: Size, size: Size) -> dict[str, Field]:
    """Resize the fields of a sample together.

    Args:
        fields: the fields by name.
        old_size: their height and width in pixels.
        size: target height and width in pixels.
    """
    old = {name: field.value for name, field in fields.items()}
    new: dict[str, Any] = {}
    for name in in_order(fields):
        new[name] = fields[name].type.resize(old[name], Resized(old, new, old_size, size))
    return {name: Field(field.type, new[name]) for name, field in fields.items()}


def in_order(fields: Mapping[str, Field]) -> list[str]:
    """Return the names of fields, each after the ones that its type needs."""
    needs = {name: [each for each in field.type.needs if each in fields] for name, field in fields.items()}
    return list(TopologicalSorter(needs).static_order())
