"""Tables of metrics by skin tone. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw.evaluation.metric_tables import Cell, Table, value_columns, value_heading
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.tone_groups import (
    ENOUGH,
    SCHEMES,
    GroupMean,
    Scheme,
    group_means,
    group_sizes,
    metrics_on_skin,
)

TITLES: Mapping[Scheme, str] = {
    "ita": "Metrics on the skin by class of the individual typology angle",
    "monk": "Metrics on the skin by the nearest Monk skin tone",
}

FEW_NOTE = f"(few): fewer than {ENOUGH} images, so the mean is unreliable."


def tone_table(evaluation: Evaluation, scheme: Scheme) -> Table:
    """Return the values of every generator for each group, lightest first; each group's best is marked."""
    keys = metrics_on_skin(evaluation)
    metrics = {key: evaluation.metrics[key] for key in keys}
    inpainters = list(evaluation.per_image)
    means = {
        (inpainter, key): group_means(evaluation, key, scheme, inpainter)
        for inpainter in inpainters
        for key in keys
    }
    rows = []
    for group, size in group_sizes(evaluation, scheme).items():
        found = [{key: means[inpainter, key].get(group) for key in keys} for inpainter in inpainters]
        cells = value_columns([_values(values) for values in found], metrics)
        for inpainter, values, row in zip(inpainters, found, cells, strict=True):
            counted = [_counted(cell, values[key], size) for key, cell in zip(keys, row, strict=True)]
            name = group if scheme == "ita" else f"Monk {group}"
            rows.append((f"{name}, {inpainter}", [Cell(_size(size)), *counted]))
    heads = [value_heading(key, info) for key, info in metrics.items()]
    return Table("skin tone, generator", ["images", *heads], rows)


def tone_tables(evaluation: Evaluation) -> dict[str, Table]:
    """Return a table for each grouping, by its title; none without results by skin tone."""
    if not metrics_on_skin(evaluation):
        return {}
    tables = {TITLES[scheme]: tone_table(evaluation, scheme) for scheme in SCHEMES}
    return {title: table for title, table in tables.items() if table.rows}


def _values(values: Mapping[str, GroupMean | None]) -> dict[str, float | None]:
    return {key: None if found is None else found.mean for key, found in values.items()}


def _size(images: int) -> str:
    return str(images) if images >= ENOUGH else f"{images} (few)"


def _counted(cell: Cell, found: GroupMean | None, size: int) -> Cell:
    """Add the number of images to a cell if not all of the group have a value."""
    if found is None or found.images == size:
        return cell
    return Cell(f"{cell.text} (of {_size(found.images)})", cell.best)
