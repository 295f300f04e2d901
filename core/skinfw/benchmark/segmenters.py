"""Accuracy and speed of segmenters on photos with known label maps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from skinfw.assembly.build import build
from skinfw.benchmark.labels import labeled, same_photos
from skinfw.benchmark.process import in_own_process, try_all
from skinfw.components.reference import ComponentSpec
from skinfw.components.trust import announce_programs
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError
from skinfw.evaluation.metric_tables import NONE, Cell, Table
from skinfw.interfaces import Segmenter
from skinfw.preparation.label_set_check import check_label_sets

MEASURED = ("person", "skin", "head", "feet", "apparel")
"""What is measured: the five regions, with the person in place of the background."""


@dataclass(frozen=True)
class SegmenterResults:
    """The results of one segmenter.

    Attributes:
        mean: mean over the photos of the intersection over union of each region, in [0, 1]; None for a region
            that the segmenter does not have.
        median: the median, likewise.
        photos: number of segmented photos.
        unusable: why others could not be segmented, by photo.
        seconds: median time per photo, from pixels in memory to the label map.
        memory: peak resident memory of its process in MiB, including libraries.
    """

    mean: dict[str, float | None]
    median: dict[str, float | None]
    photos: int
    unusable: dict[str, str]
    seconds: float
    memory: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return asdict(self)


def intersection_over_union(found: Mask, true: Mask) -> float:
    """Return the intersection over union of two masks ``(H, W)``; NaN if both are empty."""
    union = np.count_nonzero(found | true)
    return np.count_nonzero(found & true) / union if union else float("nan")


def measure_segmenter(
    segmenter: Segmenter[Any], truth: Segmenter[Any], photos: Sequence[Path]
) -> SegmenterResults:
    """Compare a segmenter with true label maps.

    A region that neither finds in a photo does not count; one that only one of them finds counts as 0.

    Args:
        segmenter: the segmenter.
        truth: provides the true label maps.
        photos: the photos.

    Raises:
        DataError: no photo could be measured.
    """
    overlaps: dict[str, list[float]] = {name: [] for name in MEASURED}
    seconds: list[float] = []
    unusable: dict[str, str] = {}
    compared: set[str] = set()
    for path in photos:
        try:
            photo = Photo.read(path)
            true = truth.segment(photo)
            began = time.perf_counter()
            found = segmenter.segment(photo)
        except DataError as error:
            unusable[str(path)] = str(error)
            continue
        seconds.append(time.perf_counter() - began)
        for name in MEASURED:
            masks = _region(found, name), _region(true, name)
            if masks[0] is not None and masks[1] is not None:
                compared.add(name)
                overlaps[name].append(intersection_over_union(masks[0], masks[1]))
    if not seconds:
        raise DataError(
            f"none of the {len(photos)} photos could be measured: {next(iter(unusable.values()))}"
        )
    known = {name: np.array(overlaps[name]) for name in MEASURED if name in compared}
    known = {name: values[~np.isnan(values)] for name, values in known.items()}
    return SegmenterResults(
        mean={name: _statistic(np.mean, known.get(name)) for name in MEASURED},
        median={name: _statistic(np.median, known.get(name)) for name in MEASURED},
        photos=len(seconds),
        unusable=unusable,
        seconds=float(np.median(seconds)),
    )


def _region(segmentation: Segmentation, name: str) -> Mask | None:
    """Return a region's pixels, or None if the segmenter does not have it."""
    key = "background" if name == "person" else name
    regions = {str(region) for region in segmentation.regions}
    if key not in regions:
        return None
    return segmentation.person if name == "person" else segmentation.region(name)  # type: ignore[arg-type]


def _statistic(of: Any, values: Any) -> float | None:
    return None if values is None or not len(values) else float(of(values))


def benchmark_segmenters(
    segmenters: Sequence[ComponentSpec], truth: ComponentSpec, photos: Sequence[Path]
) -> dict[str, SegmenterResults]:
    """Measure segmenters one after the other, each in a separate process.

    Returns:
        the results by the segmenters' labels, see `labeled`.

    Raises:
        DataError: a segmenter could not process any photo, or the true label maps use another label set.
        SkinfwError: a segmenter cannot be built, for example because its weights are missing.
    """
    announce_programs(*segmenters)
    check_label_sets(build(truth, Segmenter), photos)
    found, components = {}, labeled(segmenters)
    try_all(components, _measure, truth, photos)
    for label, reference in components.items():
        results, memory = in_own_process(label, _measure, reference, truth, photos)
        found[label] = replace(results, memory=memory)
    return found


def _measure(reference: ComponentSpec, truth: ComponentSpec, photos: Sequence[Path]) -> SegmenterResults:
    return measure_segmenter(build(reference, Segmenter), build(truth, Segmenter), photos)


def segmenters_table(results: dict[str, SegmenterResults]) -> Table:
    """Return the results of segmenters side by side; the best IoU of each region is marked.

    Values that print alike are equally good. Nothing is marked if they were measured on different photos.
    """
    ranked = same_photos(each.unusable for each in results.values())
    best = {
        name: max((each.mean[name] or 0.0 for each in results.values()), default=0.0) if ranked else None
        for name in MEASURED
    }

    def cells(each: SegmenterResults) -> list[Cell]:
        regions = [_cell(each, name, best[name]) for name in MEASURED]
        speed = Cell(f"{1 / each.seconds:.3g}", False)
        return [*regions, Cell(str(each.photos), False), speed, Cell(f"{each.memory:.0f}", False)]

    columns = [*(f"{name} ↑" for name in MEASURED), "photos", "photos/s", "memory, MiB"]
    return Table("segmenter", columns, [(name, cells(each)) for name, each in results.items()])


def _cell(results: SegmenterResults, region: str, best: float | None) -> Cell:
    mean, median = results.mean[region], results.median[region]
    if mean is None or median is None:
        return Cell(NONE, False)
    text = f"{mean:.3f}"
    return Cell(f"{text} ({median:.3f})", best is not None and text == f"{best:.3f}")
