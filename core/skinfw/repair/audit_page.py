"""The page of an audit: one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.doctor.sample_images import encoded
from skinfw.errors import counted
from skinfw.evaluation.bootstrap import DRAWS, LEVEL, MIN_IMAGES, MeanInterval
from skinfw.evaluation.error_map import ERROR_FULL, error_image, error_legend
from skinfw.evaluation.metric_tables import NONE, Cell, Table
from skinfw.evaluation.tone_groups import ENOUGH
from skinfw.repair.auditing import Audit
from skinfw.repair.geometry import Geometry, geometries
from skinfw.repair.measure import METRICS
from skinfw.reporting.data_uri import data_uri
from skinfw.reporting.pages import render_page
from skinfw.system.json_file import write_text

SHOWN = 12
"""Number of pairs shown with images: those whose skin changed most."""

SIDE = 320
"""Longer side of an image in pixels."""

RANKED_BY = "skin_difference"


def write_audit_page(audit: Audit, name: str, output: Path) -> None:
    """Write the page of an audit.

    Args:
        audit: the measures.
        name: how the audited results are called.
        output: the HTML file.

    Raises:
        RunError: it cannot be written.
    """
    worst = sorted(
        (name for name, pair in audit.pairs.items() if pair.values[RANKED_BY] is not None),
        key=lambda name: -(audit.pairs[name].values[RANKED_BY] or 0.0),
    )
    page = render_page(
        "audit.html",
        name=name,
        summary=_summary(audit),
        audit=audit,
        results_table=_results_table(audit),
        tone_tables=_tone_tables(audit),
        metrics=METRICS,
        few=f"(few): fewer than {ENOUGH} pairs, so the mean is unreliable.",
        draws=f"{DRAWS:,}",
        min_images=MIN_IMAGES,
        level=f"{LEVEL:.0%}",
        shown=[_shown(audit, name) for name in worst[:SHOWN]],
        error_full=ERROR_FULL,
        legend=error_legend(),
    )
    write_text(output, page)


def _summary(audit: Audit) -> str:
    skin, ita = audit.interval("skin_difference"), audit.interval("ita_change")
    if skin is None or ita is None:
        return f"{counted(len(audit.pairs), 'result')} measured; none shows enough skin of its photo."
    return (
        f"In {counted(skin.images, 'result')}, the skin that should not change differs from the photo by "
        f"{_text('skin_difference', skin)} CIEDE2000, and its individual typology angle changed by "
        f"{_text('ita_change', ita)}°."
    )


def _text(name: str, found: MeanInterval | None) -> str:
    if found is None:
        return NONE
    if found.low is None or found.high is None:
        return _number(name, found.mean)
    return f"{_number(name, found.mean)} [{_number(name, found.low)}, {_number(name, found.high)}]"


def _number(name: str, value: float) -> str:
    if not METRICS[name].unit:
        return f"{value:.1%}"
    return f"{value:+.1f}" if name == "ita_change" else f"{value:.2f}"


def _cells(audit: Audit, name: str, group: str | None) -> list[Cell]:
    found, error = audit.interval(name, group), audit.segmenter_error(name, group)
    images = 0 if found is None else found.images
    return [
        Cell(_text(name, found)),
        Cell(NONE if error is None else _number(name, error).removeprefix("+")),
        Cell(str(images) if images >= ENOUGH else f"{images} (few)"),
    ]


_COLUMNS = ("mean [interval]", "segmenter's error", "pairs")


def _results_table(audit: Audit) -> Table:
    rows = [(_label(name), _cells(audit, name, None)) for name in METRICS]
    return Table("metric", _COLUMNS, rows)


def _tone_tables(audit: Audit) -> dict[str, Table]:
    """Return a table by skin tone for each metric with a value."""
    return {
        _label(name): Table(
            "skin tone", _COLUMNS, [(group, _cells(audit, name, group)) for group in audit.groups()]
        )
        for name in METRICS
        if audit.interval(name) is not None
    }


def _label(name: str) -> str:
    metric = METRICS[name]
    return metric.label + (f", {metric.unit}" if metric.unit else "")


def _shown(audit: Audit, name: str) -> dict[str, Any]:
    """Return a pair with its images."""
    pair = audit.pairs[name]
    photo, result = (Photo.read(Path(path)).pixels for path in audit.files[name])
    size = photo.shape[0], photo.shape[1]
    geometry = next(each for each in geometries(size, result) if each.fit == pair.fit)
    values = {_label(key): _number(key, value) for key, value in pair.values.items() if value is not None}
    return {"name": name, "values": values, "fit": pair.fit, "images": _images(geometry, photo, result)}


def _images(geometry: Geometry, photo: RgbImage, result: RgbImage) -> dict[str, str]:
    placed = geometry.image(photo)
    difference = error_image(result, placed)
    difference[~geometry.shown] = 255
    scale = min(1.0, SIDE / max(geometry.size))
    size = tuple(max(1, round(side * scale)) for side in geometry.size)
    images = {"photo": placed, "result": result, "difference": difference}
    return {
        what: data_uri(encoded(resize_image(np.ascontiguousarray(image), (size[0], size[1]))), "image/webp")
        for what, image in images.items()
    }
