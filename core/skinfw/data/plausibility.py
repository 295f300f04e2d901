"""Checks whether a label map matches its class table: the head where the head is, shoes at the feet.

A map of one label set that is read with the table of another may have no code out of range and still be
wrong. The places of its regions and classes reveal that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skinfw.components.regions import REGIONS, RegionName
from skinfw.data.body_zones import UNDECIDED, ZONES, Zone, ZoneMap, zones_of_outline, zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import LabelMap, LabelTable, Segmentation

OWN = ""
"""The name in `Fits` of the table that a map was read with."""

MIRRORED = "mirrored"
"""The name of the same table for the mirrored map. One photo says little, as people are nearly symmetric:
of 707 photos, 3% fit better mirrored by more than 0.02, and up to 0.36."""

Fits = Mapping[str, float]
"""How well tables fit a label map, by the setting that selects them; `OWN` is the one it was read with. Mean
log probability of the labels: about -0.8 for the right table, -3 for a wrong one."""

BETTER = 0.15
"""By how much another table must fit one photo better. Chosen on 729 photos: none read with its own table is
that far behind another one (at most 0.09). The maps exist in one label set; those of the ten other tables are
simulated from them, and the threshold was not tested on other photos."""

SLIGHTLY, MAX = 0.02, 0.7
"""By how much another table must fit better, and in which fraction of the photos, to be the right one for the
set. Chosen on the same 729 photos: when their maps, rewritten in CIHP's codes, are read as LIP's, which
differ in one class, CIHP's table fits that much better in 81% of them."""

COARSE = 0.5
"""By how much a table without all regions must fit better: it says less, so it is less often wrong."""

EQUAL = 0.05
"""Maximum difference of tables that fit equally well and are all named."""

MIN_FIT = -2.2
"""Minimum fit of a table. Chosen on the same 729 photos: none is below -2.0 with its own table, in its real
label set or in a simulated one."""

MIN_HEAD = 0.2
"""Minimum fraction of the pose's head that is head, skin or of a class without a region. The minimum over the
707 front views among those photos is 0.48; for 243 of them, the maps rotated by 90 degrees have 0."""

_MIN_HEAD_PIXELS = 9
"""Minimum pixels of the pose's head for that check."""

_PROBABILITIES: Mapping[Zone, tuple[float, ...]] = {
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

_CHECKED = ("Nose", "REye", "LEye", "RShoulder", "LShoulder", "RHip", "LHip", "RAnkle", "LAnkle")
"""Keypoints that a message may name."""

_NOT_HEAD: tuple[RegionName, ...] = ("background", "apparel", "feet")

_UNLIKELY = 0.1
"""Maximum probability of a region under such a keypoint to be named in a message."""

_SIDE = 256
"""Longer side in pixels at which label maps are checked."""

_MIN_BACKGROUND = 0.3
"""Minimum fraction of background far from the body. The minimum over 729 photos is 0.94."""

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
    known = dict(zip(REGIONS, np.array([_PROBABILITIES[zone] for zone in ZONES]).T, strict=True))
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
    zones = _zones(segmentation, keypoints)
    return None if zones is None else _counted(segmentation.labels, zones)


def _zones(segmentation: Segmentation, keypoints: Keypoints | None) -> ZoneMap | None:
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


def _counted(labels: LabelMap, zones: ZoneMap) -> Evidence:
    """Count the codes of a label map in each zone of the smaller zone map."""
    step = _step(labels)
    labels = labels[::step, ::step]
    decided = zones != UNDECIDED
    pairs = labels[decided].astype(np.int64) * len(ZONES) + zones[decided]
    counts = np.bincount(pairs, minlength=256 * len(ZONES)).reshape(256, len(ZONES))
    return Evidence(counts, labels.size)


def fits_of(evidence: Evidence, own: LabelTable, others: Mapping[str, LabelTable]) -> dict[str, float]:
    """Return how well a label map fits its own table and each other table with classes for all its codes."""
    fits = {}
    for name, table in {OWN: own, **others}.items():
        fit = evidence.fit(table)
        if fit is not None:
            coarse = name != OWN and not all(table.regions.get(region) for region in REGIONS)
            fits[name] = fit - COARSE if coarse else fit
    return fits


def better_tables(fits: Fits) -> list[str]:
    """Return the tables that fit one photo clearly better than its own, best first."""
    tables = {name: fit for name, fit in fits.items() if name != MIRRORED}
    best = max(tables.values())
    if best < fits[OWN] + BETTER:
        return []
    return sorted((name for name, fit in tables.items() if fit >= best - EQUAL), key=lambda name: -fits[name])


def better_tables_of_set(fits: Sequence[Fits]) -> list[str]:
    """Return the tables that fit most photos of a set better than their own, best first.

    `MIRRORED` among them means that the maps are mirrored.

    A slight difference in most photos is enough; a single photo needs a clear one.

    Args:
        fits: the fits of some photos that were read with one table.
    """
    others = {name for each in fits for name in each if name != OWN}
    means, better = {}, set()
    for name in others:
        # a map with a code that has no class in a table is not of its set
        gains = np.array([each.get(name, -np.inf) - each[OWN] for each in fits])
        means[name] = float(np.where(np.isfinite(gains), gains, -1.0).mean())
        if np.mean(gains > SLIGHTLY) >= MAX and np.isfinite(gains).all():
            better.add(name)
    best = max((means[name] for name in better), default=0.0)
    return sorted((name for name in better if means[name] >= best - EQUAL), key=lambda name: -means[name])


def check_label_map(
    segmentation: Segmentation, keypoints: Keypoints, others: Mapping[str, LabelTable]
) -> tuple[Fits, str]:
    """Return how well tables fit a label map, and what is wrong with it; empty if it is plausible.

    Args:
        segmentation: the label map.
        keypoints: the pose, in its pixels.
        others: other possible tables, by the setting that selects them.
    """
    zones = _zones(segmentation, keypoints)
    if zones is None:
        return {}, ""
    evidence = _counted(segmentation.labels, zones)
    fits = fits_of(evidence, segmentation.table, others)
    fit = _counted(segmentation.labels[:, ::-1], zones).fit(segmentation.table)
    if fit is not None:
        fits[MIRRORED] = fit
    background = evidence.background_elsewhere(segmentation.table)
    better = better_tables(fits)
    if better:
        return fits, f"{_seen(segmentation, keypoints)}; with {' or '.join(better)} they would"
    if background is not None and background < _MIN_BACKGROUND:
        return fits, (
            f"only {background:.0%} of the area far from the person is background: the map may have another "
            "label set or may have lost its background"
        )
    head = evidence.head_fraction(segmentation.table)
    if fits[OWN] < MIN_FIT or (head is not None and head < MIN_HEAD):
        return fits, (
            f"{_seen(segmentation, keypoints)}: the map may have another label set or be rotated, or map and "
            "pose may belong to different photos or sizes"
        )
    return fits, ""


def _seen(segmentation: Segmentation, keypoints: Keypoints) -> str:
    """Return which keypoints lie on implausible regions."""
    region_of: dict[str, RegionName] = {
        name: region for region, names in segmentation.regions.items() for name in names
    }
    zones: dict[str, Zone] = {"Shoulder": "torso", "Hip": "thigh", "Ankle": "foot"}
    height, width = segmentation.labels.shape
    wrong = []
    for name in _CHECKED:
        x, y, confidence = keypoints.point(name)
        if confidence <= 0 or not (0 <= x < width and 0 <= y < height):
            continue
        found = region_of.get(segmentation.classes[segmentation.labels[int(y), int(x)]])
        zone: Zone = next((zone for ending, zone in zones.items() if name.endswith(ending)), "head")
        if found is not None and _PROBABILITIES[zone][REGIONS.index(found)] <= _UNLIKELY:
            wrong.append(f"{name} on {found}")
    told = ", ".join(wrong[:4]) + (" and more" if len(wrong) > 4 else "")
    return f"the regions do not match the pose ({told or 'classes lie on other parts of the body'})"
