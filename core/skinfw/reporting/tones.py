"""Tables of metrics by skin tone. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw.evaluation.metric_tables import Cell, Table, value_columns, value_heading
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.tone_groups import (
    ENOUGH,
    GroupMean,
    Scheme,
    compared_metric,
    group_means,
    group_sizes,
    metrics_on_skin,
)

TITLES: Mapping[Scheme, str] = {
    "fifths": "Metrics on the skin by fifths of its lightness",
    "ita": "Metrics on the skin by class of the individual typology angle",
    "monk": "Metrics on the skin by the nearest Monk skin tone",
}

FEW = "(few)"

FEW_NOTE = f"{FEW}: fewer than {ENOUGH} images, so the mean is unreliable."


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
            name = tone_name(group, scheme)
            rows.append((f"{name}, {inpainter}", [Cell(_size(size)), *counted]))
    heads = [value_heading(key, info) for key, info in metrics.items()]
    return Table("skin tone, generator", ["images", *heads], rows)


def tone_name(group: str, scheme: Scheme) -> str:
    """Return the display name of a group: ``darkest fifth``, ``light``, or ``Monk 3``."""
    return f"Monk {group}" if scheme == "monk" else group


def short_tone_table(evaluation: Evaluation) -> Table | None:
    """Return one row per class of the typology angle, lightest first, with every generator's value.

    The metric is that of `skinfw.evaluation.tone_groups.compared_metric`; None without one.
    """
    key = compared_metric(evaluation)
    if key is None:
        return None
    info = {key: evaluation.metrics[key]}
    means = {inpainter: group_means(evaluation, key, "ita", inpainter) for inpainter in evaluation.per_image}
    rows = []
    for group, size in group_sizes(evaluation, "ita").items():
        found = [{key: each.get(group)} for each in means.values()]
        columns = value_columns([_values(values) for values in found], info)
        cells = [_counted(cell, values[key], size) for values, (cell,) in zip(found, columns, strict=True)]
        rows.append((group, [Cell(_size(size)), *cells]))
    return Table(value_heading(key, info[key]), ["images", *means], rows)


def _values(values: Mapping[str, GroupMean | None]) -> dict[str, float | None]:
    return {key: None if found is None else found.mean for key, found in values.items()}


def _size(images: int) -> str:
    return str(images) if images >= ENOUGH else f"{images} {FEW}"


def _counted(cell: Cell, found: GroupMean | None, size: int) -> Cell:
    """Add the number of images to a cell if not all of the group have a value; one image is never best."""
    if found is None:
        return cell
    text = cell.text if found.images == size else f"{cell.text} (of {_size(found.images)})"
    return Cell(text, cell.best and found.images > 1)
