"""The classes of a trained segmenter, and the conversion of label maps to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from skinfw.components.regions import REGIONS, RegionName
from skinfw.components.strict_model import StrictModel
from skinfw.data.segmentation import LabelMap, Segmentation
from skinfw.errors import RunError
from skinfw.specs.segmentation_spec import ClassSpec, SegmentationData

UNKNOWN = 255
"""Label of pixels of unknown class, which are ignored in training and evaluation."""


class _Table(StrictModel):
    """A table in JSON."""

    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=UNKNOWN)]
    regions: dict[RegionName, tuple[str, ...]]
    members: dict[str, str]

    @model_validator(mode="after")
    def _check_names(self) -> _Table:
        named = {*self.members.values(), *(name for each in self.regions.values() for name in each)}
        if len(set(self.names)) < len(self.names) or not named <= set(self.names):
            raise PydanticCustomError("names", "its classes are inconsistent")
        return self


@dataclass(frozen=True)
class ClassTable:
    """The classes in the order of a network's channels.

    Attributes:
        names: the name of each class.
        regions: the names of the classes of each region; a region without classes is absent.
        members: the class that each class of the label segmenter belongs to, or `UNKNOWN`.
    """

    names: tuple[str, ...]
    regions: Mapping[RegionName, tuple[str, ...]]
    members: Mapping[str, str]

    def labels(self, segmentation: Segmentation) -> LabelMap:
        """Return a segmentation by the label segmenter as a label map in these classes, uint8 ``(H, W)``."""
        places = [
            self.names.index(self.members[name]) if name in self.members else UNKNOWN
            for name in segmentation.classes
        ]
        labels: LabelMap = np.array(places, np.uint8)[segmentation.labels]
        return labels

    def to_json(self) -> dict[str, Any]:
        """Return the table as a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> ClassTable:
        """Return the table that `to_json` wrote.

        Raises:
            ValueError: it is not a valid table.
        """
        _Table.model_validate(value)
        regions = {
            region: tuple(value["regions"][region]) for region in REGIONS if region in value["regions"]
        }
        return cls(tuple(value["names"]), regions, dict(value["members"]))


def class_table(data: SegmentationData, found: Segmentation) -> ClassTable:
    """Return the classes in a spec.

    Args:
        data: the spec's data.
        found: any segmentation by the label segmenter; only its classes and regions are used.

    Raises:
        RunError: the spec names a class that the label segmenter does not have, or the label segmenter
            has no background or too many classes.
    """
    if "background" not in found.regions:
        raise RunError(f"the label segmenter {data.labels.name!r} has no background class; use another one")
    if isinstance(data.classes, dict):
        return _named(data.classes, found, data.labels.name)
    if data.classes == "regions":
        members = {name: region for region, names in found.regions.items() for name in names}
        return ClassTable(REGIONS, {region: (region,) for region in REGIONS}, dict(members))
    if len(found.classes) > UNKNOWN:
        raise RunError(f"the label segmenter {data.labels.name!r} has more than {UNKNOWN} classes")
    return ClassTable(found.classes, dict(found.regions), {name: name for name in found.classes})


def _named(classes: Mapping[str, ClassSpec], found: Segmentation, segmenter: str) -> ClassTable:
    members = {name: key for key, each in classes.items() for name in each.of}
    unknown = [name for name in members if name not in found.classes]
    if unknown:
        raise RunError(
            f"$.data.classes: the label segmenter {segmenter!r} has no class {unknown[0]!r} (known: "
            f"{', '.join(found.classes)})"
        )
    rest = next(key for key, each in classes.items() if each.region == "background")
    regions: dict[RegionName, tuple[str, ...]] = {}
    for key, each in classes.items():
        regions[each.region] = (*regions.get(each.region, ()), key)
    return ClassTable(tuple(classes), regions, {name: members.get(name, rest) for name in found.classes})
