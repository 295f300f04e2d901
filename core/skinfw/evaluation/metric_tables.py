"""Readable results: names, units and tables. Light: no torch."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from skinfw.components.direction import ARROWS, badness
from skinfw.components.registry import TRAINED, installed
from skinfw.errors import counted
from skinfw.evaluation.results import Cost, Evaluation, MetricInfo

NONE = "n/a"
UNRANKED = "†"
"""Behind a value that is not ranked."""

COSTS = ("ms per image", "peak MiB")
"""The headers of the columns of `cost_cells`."""

UNRANKED_NOTE = f"{UNRANKED}: not ranked"

_LABELS = {
    "iou": "IoU",
    "miou": "mIoU",
    "iou_per_image": "IoU per image",
    "miou_per_image": "mIoU per image",
}


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: the value as text.
        best: whether it is the best of its column.
    """

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of values.

    Attributes:
        corner: header of the row names.
        columns: the columns' names.
        rows: each row's name and cells.
    """

    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


def metric_label(key: str) -> str:
    """Return the display name of the metric in ``region/name``: ``PSNR``, and ``PSNR 2`` for ``psnr_2``."""
    name = key.partition("/")[2]
    if name in _LABELS:
        return _LABELS[name]
    entries = installed().entries
    base, _, number = name.rpartition("_")
    for known, more in ((name, ""), (base, f" {number}" if number.isdecimal() else "")):
        entry = entries.get(("metric", known))
        if entry is not None and entry.label:
            return f"{entry.label}{more}"
    return name.replace("_", " ")


def value_label(key: str) -> str:
    """Return the display name of ``region/name``: ``skin PSNR``."""
    return f"{key.partition('/')[0]} {metric_label(key)}"


def value_heading(key: str, info: MetricInfo) -> str:
    """Return the header of a column: name, unit, and an arrow in the better direction."""
    unit = f" ({info.unit})" if info.unit else ""
    return f"{value_label(key)}{unit} {ARROWS[info.direction]}"


def value_text(value: float | None, info: MetricInfo | None = None) -> str:
    """Return a value without its unit: two decimals if it has a unit, four digits otherwise.

    The sign is written out if the metric's best value is 0.
    """
    if value is None:
        return NONE
    sign = "+" if info is not None and info.direction == "zero" else "-"
    return f"{value:{sign}.2f}" if info is not None and info.unit else f"{value:{sign}#.4g}".rstrip(".")


def amount_text(value: float, info: MetricInfo) -> str:
    """Return a difference or a deviation, at least 0, without its unit."""
    return value_text(value, info).removeprefix("+")


def best_of(values: Sequence[float | None], info: MetricInfo) -> float | None:
    """Return the best value; None if there are fewer than two to compare."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < 2:
        return None
    return min(known, key=lambda value: badness(value, info.direction))


def value_columns(
    rows: Sequence[Mapping[str, float | None]],
    metrics: Mapping[str, MetricInfo],
    unranked: Sequence[Collection[str]] | None = None,
    *,
    images: Mapping[str, int] | None = None,
) -> list[list[Cell]]:
    """Return the cells of each row, one per metric; the best values of a column are marked.

    Values that print alike are equally good. One image alone marks none.

    Args:
        rows: the values of each row by ``region/name``.
        metrics: their units and directions.
        unranked: the values of each row that are excluded from ranking.
        images: the number of images with a value of each metric; None: several of each.
    """
    apart = [()] * len(rows) if unranked is None else unranked
    ranked = [
        {key: value for key, value in row.items() if key not in aside}
        for row, aside in zip(rows, apart, strict=True)
    ]
    best = {
        key: value_text(best_of([row.get(key) for row in ranked], info), info)
        for key, info in metrics.items()
        if images is None or images[key] > 1
    }
    return [
        [
            Cell(
                f"{text}{UNRANKED if key in aside else ''}",
                key not in aside and text != NONE and text == best.get(key),
            )
            for key, info in metrics.items()
            for text in [value_text(row.get(key), info)]
        ]
        for row, aside in zip(rows, apart, strict=True)
    ]


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return the values of the trained generator and the baselines, or of a segmenter's classes."""
    if evaluation.task == "segmentation":
        return _class_table(evaluation)
    inpainters = list(evaluation.values)
    values_of = [evaluation.values[inpainter] for inpainter in inpainters]
    cells = value_columns(values_of, evaluation.metrics, images=evaluation.counts())
    rows = []
    for inpainter, values in zip(inpainters, cells, strict=True):
        changed = Cell(str(evaluation.violations[inpainter]))
        rows.append((inpainter, [*values, changed, *cost_cells(evaluation.cost(inpainter))]))
    heads = [value_heading(key, info) for key, info in evaluation.metrics.items()]
    return Table("generator", [*heads, "kept pixels changed", *COSTS], rows)


def cost_cells(cost: Cost) -> list[Cell]:
    """Return the time and the memory that a generator took; ``-`` for what was not measured."""
    seconds, peak = cost.seconds_per_image, cost.peak_memory
    by = " (stated)" if cost.stated else ""
    return [
        Cell("-" if seconds is None else f"{seconds * 1000:.1f}{by}"),
        Cell("-" if peak is None else f"{peak / 2**20:,.0f}{by}"),
    ]


def _class_table(evaluation: Evaluation) -> Table:
    """Return one row per class with its results."""
    values = evaluation.values[TRAINED]
    rows: dict[str, list[Cell]] = {}
    for key, info in evaluation.metrics.items():
        rows.setdefault(key.partition("/")[0], []).append(Cell(value_text(values[key], info)))
    return Table("class", ["IoU over all pixels ↑", "IoU per image, mean ↑"], list(rows.items()))


def measured_images(evaluation: Evaluation) -> str:
    """Return what was measured: ``12 test images``, or ``12 images of photos/street``."""
    part = "image" if evaluation.split == "all" else f"{evaluation.split} image"
    source = f" of {evaluation.source}" if evaluation.source else ""
    return f"{counted(len(evaluation.names), part)}{source}"


def masks_note(evaluation: Evaluation) -> str:
    """Return how many masks were computed, and by what; empty if none were.

    Example:
        ``The masks of 3 of 4 images were computed (by skin_color), not drawn by a person: ...``
    """
    computed, total = sum(evaluation.computed_masks.values()), len(evaluation.names)
    if not computed:
        return ""
    sources = evaluation.computed_masks
    by = ", ".join(name if len(sources) == 1 else f"{name}: {count}" for name, count in sources.items())
    images = counted(total, "image") if computed == total else f"{computed} of {counted(total, 'image')}"
    return (
        f"The masks of {images} were computed (by {by}), not drawn by a person: all values on the skin, and "
        "what is painted at all, share the errors of these masks."
    )
