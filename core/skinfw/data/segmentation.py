"""A label map, the names of its classes, and the classes of the five regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinfw.components.regions import REGIONS as REGIONS
from skinfw.components.regions import RegionName as RegionName

Mask = NDArray[np.bool_]
RgbImage = NDArray[np.uint8]
LabelMap = NDArray[np.uint8]
HeatMaps = NDArray[np.uint8]


@dataclass(frozen=True)
class LabelTable:
    """The meaning of a label map's codes.

    Attributes:
        classes: the name of each code, from 0.
        regions: the names of the classes of each of the five regions; a region that the set does not have is
            absent.
    """

    classes: tuple[str, ...]
    regions: Mapping[RegionName, tuple[str, ...]]


@dataclass(frozen=True)
class Segmentation:
    """A segmenter's result for a photo.

    Attributes:
        labels: uint8 ``(H, W)``, each value an index into ``classes``.
        classes: the name of each class.
        regions: the names of the classes of each of the five regions; a region that the segmenter
            does not find is absent.
        confidence: how sure the segmenter is: the mean probability of the labels of the person's pixels, in
            [0, 1]; None if it does not say.

    Raises:
        ValueError: a label without a class, a region with an unknown class, or a class in two regions.

    Example:
        >>> regions = {"background": ("none",), "skin": ("arm",), "apparel": ("dress",)}
        >>> found = Segmentation(np.array([[0, 1, 2]], np.uint8), ("none", "arm", "dress"), regions)
        >>> found.region("skin").tolist()
        [[False, True, False]]
        >>> found.person.tolist()
        [[False, True, True]]
    """

    labels: LabelMap
    classes: tuple[str, ...]
    regions: Mapping[RegionName, tuple[str, ...]]
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.dtype != np.uint8:
            raise ValueError(f"labels must be uint8 (H, W), not {self.labels.dtype} {self.labels.shape}")
        if self.labels.size and int(self.labels.max()) >= len(self.classes):
            raise ValueError(f"label {int(self.labels.max())} has no class: there are {len(self.classes)}")
        named = [name for members in self.regions.values() for name in members]
        unknown = sorted(set(named) - set(self.classes))
        if unknown or len(named) != len(set(named)):
            raise ValueError(f"regions have unknown classes {unknown} or duplicate classes: {named}")

    @property
    def table(self) -> LabelTable:
        """The meaning of the labels."""
        return LabelTable(self.classes, self.regions)

    def of_classes(self, *names: str) -> Mask:
        """Return the pixels of the named classes, bool ``(H, W)``; unknown names have none."""
        wanted = np.array([known in names for known in self.classes], bool)
        return wanted[self.labels]

    def region(self, *names: RegionName) -> Mask:
        """Return the pixels of one or more regions, bool ``(H, W)``."""
        return self.of_classes(*(member for name in names for member in self.regions.get(name, ())))

    @property
    def person(self) -> Mask:
        """The pixels of the person: everything but the background, bool ``(H, W)``."""
        return ~self.region("background")
