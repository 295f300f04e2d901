"""Writes the results of an ablation: tables, plots, images, and one HTML page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from skinfw.ablation.example_rows import ImageRow, ImageRows, inpaint_rows
from skinfw.ablation.page_files import (
    differences_note,
    remarks,
    to_csv,
    to_json,
    to_markdown,
    to_tex,
)
from skinfw.ablation.plots import draw_differences, draw_means
from skinfw.ablation.published import NOTE
from skinfw.ablation.results import AblationResult
from skinfw.ablation.run_result import RunResult
from skinfw.ablation.tables import (
    differences_table,
    metadata_note,
    metric_metadata,
    metrics_note,
    metrics_table,
    orderings,
    published_comparison,
    spec_table,
    summary,
)
from skinfw.data.segmentation import RgbImage
from skinfw.errors import SkinfwError, counted
from skinfw.evaluation.examples import rank_text
from skinfw.evaluation.gallery import SMALL
from skinfw.evaluation.metric_tables import value_label, value_text
from skinfw.reporting.data_uri import data_uri, png_uri
from skinfw.reporting.pages import render_page
from skinfw.runs.environment import environment
from skinfw.system.json_file import write_text

NO_BREAK = "\u00a0"
"""The space at which a line does not break."""

logger = logging.getLogger("skinfw")

TABLES: Mapping[str, Callable[[AblationResult], str]] = {
    "table.csv": to_csv,
    "table.md": to_markdown,
    "table.tex": to_tex,
    "ablation.json": to_json,
}
"""The plot files and their content."""


def write_ablation(result: AblationResult) -> None:
    """Write ``table.csv table.md table.tex ablation.json means.svg differences.svg ablation.html``.

    Raises:
        RunError: a file cannot be written; an older one is unchanged.
    """
    for name, content in TABLES.items():
        write_text(result.output / name, content(result))
    plots = {"means.svg": draw_means(result), "differences.svg": draw_differences(result)}
    for name, plot in plots.items():
        _write_or_remove(result.output / name, plot)
    try:
        images = inpaint_rows(result)
    except SkinfwError as error:
        logger.warning("no images on the page: %s", error)
        images = ImageRows([], "", None, {"all variants": str(error)})
    write_text(result.page_path, _page(result, images, plots["means.svg"], plots["differences.svg"]))


def _write_or_remove(path: Path, content: str | None) -> None:
    """Remove plots of an earlier state that no longer have values."""
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_text(path, content)


def _page(result: AblationResult, images: ImageRows, means: str | None, differences: str | None) -> str:
    ablation = result.plan.ablation
    published = ablation.published_table
    return render_page(
        "ablation.html",
        title=ablation.title or ablation.name,
        question=ablation.question,
        summary=summary(result),
        chips=_chips(result),
        conclusive=result.plan.conclusive,
        remarks=remarks(result),
        reference=result.plan.reference,
        table=metrics_table(result),
        metrics_note=metrics_note(result),
        metadata=metric_metadata(result),
        metadata_note=metadata_note(result),
        means=_svg_uri(means),
        differences=differences_table(result),
        differences_note=differences_note(result),
        differences_plot=_svg_uri(differences),
        published=published_comparison(result),
        published_note=NOTE,
        published_title="" if published is None else published.title,
        published_section="" if published is None else published.section,
        orders=orderings(result),
        gallery=_gallery(result, images),
        specs=spec_table(result),
        runs=[_run(run, result.output) for run in result.runs],
        file=json.dumps(ablation.to_json(), indent=2, ensure_ascii=False),
        environment=_environment(result),
    )


def _svg_uri(plot: str | None) -> str:
    return "" if plot is None else data_uri(plot.encode(), "image/svg+xml")


def _chips(result: AblationResult) -> list[str]:
    plan, anchor = result.plan, result.anchor
    done = sum(run.evaluated is not None for run in result.runs)
    height, width = plan.runs[0].spec.data.size
    chips = [
        counted(len(result.variants), "variant"),
        f"{'seed' if len(plan.seeds) == 1 else 'seeds'} {', '.join(map(str, plan.seeds))}",
        f"{done} of {counted(len(result.runs), 'run')} done",
        f"{height}x{width} pixels (height x width)",
        f"compared to {plan.reference}",
    ]
    if plan.size is not None:
        chips.insert(0, f"size {plan.size}")
    if anchor is not None and anchor.evaluated is not None:
        chips.append(counted(len(anchor.evaluated.evaluation.names), "test image"))
    return chips


def _gallery(result: AblationResult, images: ImageRows) -> dict[str, Any]:
    metric = images.metric
    return {
        "chosen_by": images.chosen_by,
        "metric": None if metric is None else value_label(metric),
        "missing": images.missing,
        "rows": [_row(row, result, metric) for row in images.rows],
    }


def _cells(row: ImageRow) -> list[tuple[str, str, RgbImage]]:
    """Return name, kind and image of each column; a variant and an input may have the same name."""
    return [
        *((name, "input", image) for name, image in row.inputs.items()),
        ("target", "ground truth", row.target),
        *((name, "variant", image) for name, image in row.outputs.items()),
        *((name, "baseline", image) for name, image in row.baselines.items()),
    ]


def _row(row: ImageRow, result: AblationResult, metric: str | None) -> dict[str, Any]:
    info = None if metric is None else result.metrics[metric]
    cells = []
    for name, kind, image in _cells(row):
        value = ""
        if kind == "variant" and metric is not None and info is not None:
            value = f"{value_text(row.values.get(name), info)} {info.unit}".rstrip()
            value = f"{value_label(metric)} {value.replace(' ', NO_BREAK)}"
        height, width = image.shape[:2]
        cell = {"image": png_uri(image), "width": width, "height": height}
        cells.append({**cell, "name": name, "kind": kind, "value": value})
    rank = rank_text(row.rank, metric)
    return {"rank": rank, "name": row.name, "small": max(row.target.shape[:2]) < SMALL, "cells": cells}


def _run(run: RunResult, output: Path) -> dict[str, str]:
    report = run.planned.folder / "report.html"
    shown = run.evaluated is not None and report.is_file()
    return {
        "label": run.planned.label,
        "status": run.status,
        "seconds": "" if run.seconds is None else f"{run.seconds:.0f}",
        "where": run.where,
        "reason": run.reason,
        "report": report.relative_to(output).as_posix() if shown else "",
    }


def _environment(result: AblationResult) -> dict[str, Any]:
    found = environment(result.plan.runs[0].spec)
    return {
        "python": found["python"],
        "platform": found["platform"],
        "processors": found["processors"],
        **found["versions"],
        **result.plan.commits,
    }
