"""Where on the body the codes of a label map are, and how well a class table fits them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skinfw.components.regions import REGIONS, RegionName
from skinfw.data.body_parts import ZONES, Zone
from skinfw.data.body_zones import UNDECIDED, ZoneMap, zones_of_outline, zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import LabelMap, LabelTable, Segmentation

_MIN_HEAD_PIXELS = 9
"""Minimum pixels of the pose's head for `Evidence.head_fraction`."""

PROBABILITIES: Mapping[Zone, tuple[float, ...]] = {
    "elsewhere": (0.97, 0.005, 0.01, 0.005, 0.01),
    "head": (0.1, 0.03, 0.8, 0.002, 0.05),
    "neck": (0.03, 0.5, 0.2, 0.002, 0.27),
    "torso": (0.06, 0.06, 0.06, 0.002, 0.82),
    "arm": (0.17, 0.25, 0.02, 0.003, 0.55),
    "hand": (0.25, 0.4, 0.03, 0.005, 0.3),
    "thigh": (0.1, 0.15, 0.005, 0.005, 0.74),
    "shin": (0.18, 0.3, 0.003, 0.05, 0.47),
    "foot": (0.35, 0.15, 0.003, 0.4, 0.1),
}
"""Probability of each of `skinfw.components.regions.REGIONS` in a zone, rounded from 729 street photos with
hand-made label maps."""

_NO_REGION = 0.05
"""Probability of a class without a region, if the table has all regions."""

_MIN_PROBABILITY, _MIN_FRACTION = 0.002, 0.05
"""Minimum probabilities: labels have errors everywhere."""

_RARE = 0.005
"""Minimum fraction of the body for the place of a class to count."""

_TRUNK: tuple[Zone, ...] = ("torso", "arm", "hand", "thigh")

_WORDS: tuple[tuple[str, tuple[Zone, ...]], ...] = (
    (r"torso_skin", ("neck", "torso")),
    (r"face|hat$|headwear|head|glass|lip$|teeth|tongue|earring", ("head", "neck")),
    (r"hair", ("head", "neck", "torso")),
    (r"shoe|footwear|foot|feet|boots|clogs|flats|heels|loafers|pumps|sandals|sneakers|wedges",
     ("foot", "shin")),
    (r"glove|hand|ring$|watch|wrist|bracelet", _TRUNK),
    (r"arm", _TRUNK),
    (r"legging|stocking|tights|sock|pants|jeans|shorts|skirt|lower_clothing",
     ("torso", "hand", "thigh", "shin", "foot")),
    (r"leg", ("hand", "thigh", "shin", "foot")),
    (r"scarf|neckwear|necklace|tie$|bra$", ("head", "neck", "torso")),
    (r"upper|top$|outer|coat|shirt|blouse|blazer|jacket|sweat|hoodie|vest|cardigan|jumper|torso",
     ("neck", *_TRUNK)),
    (r"dress|jumpsuit|romper|suit$", (*_TRUNK, "shin")),
    (r"belt", ("torso", "thigh")),
    (r"skin", ("neck", *_TRUNK, "shin", "foot")),
)  # fmt: skip
"""The zones of classes by words in their names; the first match counts."""

_NOT_HEAD: tuple[RegionName, ...] = ("background", "apparel", "feet")

_SIDE = 256
"""Longer side in pixels at which label maps are checked."""

_MIN_ELSEWHERE = 0.02
"""Minimum fraction of the image that is far from the body for that check."""


@dataclass(frozen=True)
class Evidence:
    """The number of pixels of each code in each zone of the body.

    Attributes:
        counts: int64 ``(256, len(ZONES))``.
        total: pixels of the label map.
    """

    counts: NDArray[np.int64]
    total: int

    def fit(self, table: LabelTable) -> float | None:
        """Return how well a table fits; None if it lacks a class for a code."""
        known = len(table.classes)
        if self.counts[known:].any():
            return None
        counts = self.counts[:known].astype(np.float64)
        pixels = counts.sum(axis=0)
        there = pixels > 0
        regions = (counts * np.log(_region_probabilities(table))).sum(axis=0)[there] / pixels[there]
        return round(float(regions.mean()) + self._classes_fit(table, counts[:, 1:]), 4)

    def _classes_fit(self, table: LabelTable, body: NDArray[np.float64]) -> float:
        """Return the mean over the classes of the log of the fraction that lies where it belongs."""
        least = max(1.0, _RARE * body.sum())
        fractions = []
        for name, pixels in zip(table.classes, body, strict=True):
            zones = _zones_of_class(name)
            if zones is not None and pixels.sum() >= least:
                fractions.append(sum(pixels[ZONES.index(zone) - 1] for zone in zones) / pixels.sum())
        return float(np.log(np.clip(fractions, _MIN_FRACTION, 1)).mean()) if fractions else 0.0

    def head_fraction(self, table: LabelTable) -> float | None:
        """Return the fraction of the pose's head that is head or skin; None if that is unknown."""
        pixels = self.counts[: len(table.classes), ZONES.index("head")]
        if pixels.sum() < _MIN_HEAD_PIXELS or not table.regions.get("head"):
            return None
        others = [table.classes.index(name) for region in _NOT_HEAD for name in table.regions.get(region, ())]
        return 1 - float(pixels[others].sum() / pixels.sum())

    def background_elsewhere(self, table: LabelTable) -> float | None:
        """Return the fraction of background far from the body; None if too little is far from it."""
        elsewhere = self.counts[:, 0]
        if elsewhere.sum() < _MIN_ELSEWHERE * self.total or not table.regions.get("background"):
            return None
        codes = [table.classes.index(name) for name in table.regions["background"]]
        return float(elsewhere[codes].sum() / elsewhere.sum())


@lru_cache(maxsize=1024)
def _zones_of_class(name: str) -> tuple[Zone, ...] | None:
    """Return the zones of a class, based on its name; None if the name does not say."""
    return next((zones for word, zones in _WORDS if re.search(word, name.lower())), None)


def _region_probabilities(table: LabelTable) -> NDArray[np.float64]:
    """Return the probability of each class's region in each zone, ``(classes, zones)``."""
    known = dict(zip(REGIONS, np.array([PROBABILITIES[zone] for zone in ZONES]).T, strict=True))
    lacking = sum(
        (known[region] for region in REGIONS if not table.regions.get(region)), np.zeros(len(ZONES))
    )
    region_of = {name: region for region, names in table.regions.items() for name in names}
    if lacking.any() and all(name in region_of for name in table.classes):
        # what the set lacks, such as shoes, is labeled as clothes
        known["apparel"] = known["apparel"] + lacking
    rest = lacking if lacking.any() else np.full(len(ZONES), _NO_REGION)
    rows = [known[region_of[name]] if name in region_of else rest for name in table.classes]
    clipped: NDArray[np.float64] = np.clip(rows, _MIN_PROBABILITY, 1)
    return clipped


def evidence_of(segmentation: Segmentation, keypoints: Keypoints | None) -> Evidence | None:
    """Return where on the body a label map's codes are.

    Args:
        segmentation: the label map.
        keypoints: the pose, in its pixels; None: assume that the person stands.

    Returns:
        the evidence; None if the place of the body is unknown.
    """
    zones = zones_of(segmentation, keypoints)
    return None if zones is None else counted(segmentation.labels, zones)


def zones_of(segmentation: Segmentation, keypoints: Keypoints | None) -> ZoneMap | None:
    """Return the zone of every checked pixel of a label map."""
    step = _step(segmentation.labels)
    if keypoints is None:
        return zones_of_outline(segmentation.person[::step, ::step])
    height, width = segmentation.labels[::step, ::step].shape
    return zones_of_pose(keypoints.mapped(1 / step, 1 / step, 0, 0), (height, width))


def _step(labels: LabelMap) -> int:
    """Return the step between checked pixels, in each direction."""
    longer: int = max(labels.shape)
    return max(1, -(-longer // _SIDE))


def counted(labels: LabelMap, zones: ZoneMap) -> Evidence:
    """Count the codes of a label map in each zone of the smaller zone map."""
    step = _step(labels)
    labels = labels[::step, ::step]
    decided = zones != UNDECIDED
    pairs = labels[decided].astype(np.int64) * len(ZONES) + zones[decided]
    counts = np.bincount(pairs, minlength=256 * len(ZONES)).reshape(256, len(ZONES))
    return Evidence(counts, labels.size)
