"""Checks whether a label map matches its class table: the head where the head is, shoes at the feet.

A map of one label set that is read with the table of another may have no code out of range and still be
wrong. The places of its regions and classes reveal that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from skinfw.components.regions import REGIONS, RegionName
from skinfw.data.body_parts import Zone
from skinfw.data.keypoints import Keypoints
from skinfw.data.label_evidence import PROBABILITIES, Evidence, counted, zones_of
from skinfw.data.segmentation import LabelTable, Segmentation

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

_CHECKED = ("Nose", "REye", "LEye", "RShoulder", "LShoulder", "RHip", "LHip", "RAnkle", "LAnkle")
"""Keypoints that a message may name."""

_UNLIKELY = 0.1
"""Maximum probability of a region under such a keypoint to be named in a message."""

_MIN_BACKGROUND = 0.3
"""Minimum fraction of background far from the body. The minimum over 729 photos is 0.94."""


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
    segmentation: Segmentation, keypoints: Keypoints | None, others: Mapping[str, LabelTable]
) -> tuple[Fits, str]:
    """Return how well tables fit a label map, and what is wrong with it; empty if it is plausible.

    Args:
        segmentation: the label map.
        keypoints: the pose, in its pixels; without it, nothing is checked.
        others: other possible tables, by the setting that selects them.
    """
    zones = None if keypoints is None else zones_of(segmentation, keypoints)
    if keypoints is None or zones is None:
        return {}, ""
    evidence = counted(segmentation.labels, zones)
    fits = fits_of(evidence, segmentation.table, others)
    fit = counted(segmentation.labels[:, ::-1], zones).fit(segmentation.table)
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
            f"{_seen(segmentation, keypoints)}: the map may have another label set or be rotated, map and "
            "pose may belong to different photos or sizes, or one that was computed is wrong"
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
        if found is not None and PROBABILITIES[zone][REGIONS.index(found)] <= _UNLIKELY:
            wrong.append(f"{name} on {found}")
    examples = ", ".join(wrong[:4]) + (" and more" if len(wrong) > 4 else "")
    return f"the regions do not match the pose ({examples or 'classes lie on other parts of the body'})"
