"""How far a try-on system changed skin that it should not have changed, for one pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinfw.data.body_zones import body_distances
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image, resize_labels
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.data.skin_color import MIN_PIXELS
from skinfw.errors import DataError
from skinfw.evaluation.results import SkinTone
from skinfw.evaluation.skin_tone import tone_of_lab, typology_angle
from skinfw.interfaces import Segmenter
from skinfw.repair.pair import Pair, compare
from skinfw.repair.regions import nearest_zone
from skinfw.repair.tone import color_differences, lab_of

CHANGED = 5.0
"""CIEDE2000 above which a pixel counts as changed: plainly visible side by side."""

SAME_GARMENT = 5.0
"""CIEDE2000 below which a pixel of a sleeve shows the old garment."""

EXCHANGED = 10.0
"""Median CIEDE2000 on the trunk's clothes above which the garment was exchanged."""


ENLARGED = 1.1
"""Factor of the size at which pictures are segmented again."""


@dataclass(frozen=True)
class AuditMetric:
    """One measure of an audit.

    Attributes:
        label: its name on the page.
        unit: its unit; empty for a fraction.
        meaning: what it is, in a sentence.
    """

    label: str
    unit: str
    meaning: str


METRICS: Mapping[str, AuditMetric] = {
    "skin_difference": AuditMetric(
        "color difference of skin",
        "CIEDE2000",
        "mean color difference of the skin and face that both pictures show, where the contours agree",
    ),
    "ita_change": AuditMetric(
        "change of typology angle",
        "°",
        "individual typology angle of that skin's median color in the result, minus that in the photo: above "
        "0, the skin became lighter",
    ),
    "face_changed": AuditMetric(
        "face changed",
        "",
        f"fraction of the photo's face with a color difference above {CHANGED:g} in the result; parts that a "
        "garment covers do not count",
    ),
    "hands_changed": AuditMetric(
        "hands changed",
        "",
        f"fraction of the photo's visible hands with a color difference above {CHANGED:g} in the result; "
        "parts that a garment covers do not count",
    ),
    "leftover_sleeve": AuditMetric(
        "leftover sleeve",
        "",
        "fraction of the photo's sleeves that the result still shows as clothes of the same color (color "
        f"difference below {SAME_GARMENT:g}); only where the clothes on the trunk changed by more than "
        f"{EXCHANGED:g}",
    ),
}
"""What an audit measures."""

Values = dict[str, float | None]
"""The metrics of a pair by their names in `METRICS`; None for one without a value."""


@dataclass(frozen=True)
class PairMeasures:
    """The measures of one pair.

    Attributes:
        tone: tone of the skin in the photo; None if it shows too little.
        values: the metrics.
        mirrored: the metrics with label maps from the mirrored pictures; None without them.
        fit: how the photo was fitted into the result.
        correlation: the correlation of that fit.
    """

    tone: SkinTone | None
    values: Values
    mirrored: Values | None
    fit: str
    correlation: float


def measure(pair: Pair, result: RgbImage) -> Values:
    """Return the metrics of a pair.

    Args:
        pair: photo and result, compared.
        result: the result, uint8 RGB ``(H, W, 3)``.
    """
    person, found, same = pair.person, pair.result, pair.same_skin
    enough = np.count_nonzero(same) >= MIN_PIXELS
    return {
        "skin_difference": float(_differences(pair, result, same).mean()) if enough else None,
        "ita_change": _ita(result, same) - _ita(pair.photo, same) if enough else None,
        "face_changed": _fraction_changed(pair, result, person.face & ~found.apparel),
        "hands_changed": _fraction_changed(pair, result, person.hands & ~found.apparel),
        "leftover_sleeve": _leftover_sleeve(pair, result),
    }


def tone_of(pair: Pair) -> SkinTone | None:
    """Return the tone of the skin in a photo; None if it shows fewer than `MIN_PIXELS`."""
    if np.count_nonzero(pair.person.bare) < MIN_PIXELS:
        return None
    lab = np.median(lab_of(pair.photo, pair.person.bare), axis=0).tolist()
    return tone_of_lab(lab)


def measure_pair(
    photo: Photo,
    result: Photo,
    parses: tuple[Segmentation, Segmentation],
    pose: Keypoints | None,
    mirrored: tuple[Segmentation, Segmentation] | None,
) -> PairMeasures:
    """Measure a pair with its label maps, and with those of the mirrored pictures.

    Args:
        photo: the photo.
        result: the result.
        parses: segmentations of photo and result.
        pose: the person's pose in pixels of the photo, or None.
        mirrored: segmentations of the mirrored photo and result, mirrored back; None if they were not made.

    Raises:
        DataError: as `skinfw.repair.repair`.
    """
    pair = compare(photo.pixels, result.pixels, *parses, pose)
    again = None
    if mirrored is not None:
        try:
            again = measure(compare(photo.pixels, result.pixels, *mirrored, pose), result.pixels)
        except DataError:  # the other label maps do not align: no second value
            again = None
    return PairMeasures(
        tone_of(pair),
        measure(pair, result.pixels),
        again,
        pair.alignment.geometry.fit,
        round(pair.alignment.correlation, 4),
    )


def mirrored_segmentation(segmenter: Segmenter[Any], photo: Photo) -> Segmentation:
    """Return the segmentation of a mirrored and enlarged picture, mirrored back and in the picture's size.

    Neither changes anything that matters, so the difference to the segmentation of the picture itself is the
    segmenter's own error. Mirroring alone would show none of a segmenter that averages each picture with its
    mirror image.

    Raises:
        DataError: the segmenter fails, or reads files.
    """
    height, width = photo.size
    larger = round(height * ENLARGED), round(width * ENLARGED)
    found = segmenter.segment(Photo(resize_image(np.ascontiguousarray(photo.pixels[:, ::-1]), larger)))
    labels = resize_labels(np.ascontiguousarray(found.labels[:, ::-1]), photo.size)
    return Segmentation(labels, found.classes, found.regions)


def _differences(
    pair: Pair, result: RgbImage, where: Mask
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return color_differences(lab_of(pair.photo, where), lab_of(result, where))


def _ita(image: RgbImage, where: Mask) -> float:
    lightness, _, yellowness = np.median(lab_of(image, where), axis=0).tolist()
    return typology_angle(lightness, yellowness)


def _fraction_changed(pair: Pair, result: RgbImage, where: Mask) -> float | None:
    where = where & pair.alignment.geometry.shown
    if np.count_nonzero(where) < MIN_PIXELS:
        return None
    return float((_differences(pair, result, where) > CHANGED).mean())


def _leftover_sleeve(pair: Pair, result: RgbImage) -> float | None:
    """Return the fraction of the photo's sleeves left; None without sleeves, pose or an exchanged garment."""
    distances = None if pair.pose is None else body_distances(pair.pose, pair.size)
    if distances is None or "arm" not in distances.parts:
        return None
    old = pair.person.apparel & pair.alignment.geometry.shown
    sleeves = old & nearest_zone(distances, "arm") & (distances.parts["arm"] <= 1)
    trunk = old & pair.result.apparel & nearest_zone(distances, "torso") & ~sleeves
    if min(np.count_nonzero(sleeves), np.count_nonzero(trunk)) < MIN_PIXELS:
        return None
    if np.median(_differences(pair, result, trunk)) < EXCHANGED:
        return None
    left = np.zeros(pair.size, bool)
    left[sleeves] = _differences(pair, result, sleeves) < SAME_GARMENT
    return float((left & pair.result.apparel)[sleeves].mean())
