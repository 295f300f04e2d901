"""Metrics by skin tone as plots."""

from __future__ import annotations

from typing import Any

from skinfw.errors import counted
from skinfw.evaluation.bootstrap import MeanInterval
from skinfw.evaluation.metric_tables import value_heading, value_text
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.evaluation.tone_groups import (
    ENOUGH,
    MONK_SHADES,
    SCHEMES,
    Scheme,
    group_intervals,
    metrics_on_skin,
)
from skinfw.reporting.plots import LINE, Mark, draw_marks
from skinfw.reporting.tones import TITLES, tone_name, tone_table


def tone_sections(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """Return plots and table of each grouping, by its title; none without results by skin tone."""
    if not metrics_on_skin(evaluation):
        return {}
    found = {scheme: tone_table(evaluation, scheme) for scheme in SCHEMES}
    return {
        TITLES[scheme]: {"table": table, "plots": _plots(evaluation, scheme)}
        for scheme, table in found.items()
        if table.rows
    }


def _plots(evaluation: Evaluation, scheme: Scheme) -> list[dict[str, str]]:
    plots = []
    for key in metrics_on_skin(evaluation):
        info, groups = evaluation.metrics[key], group_intervals(evaluation, key, scheme)
        if groups:
            marks = [_mark(name, each, scheme) for name, each in groups.items()]
            said = ", ".join(_said(name, each, scheme, info) for name, each in groups.items())
            title = value_heading(key, info)
            plots.append({"title": title, "image": draw_marks(marks), "summary": f"{title}: {said}"})
    return plots


def _mark(name: str, found: MeanInterval, scheme: Scheme) -> Mark:
    color = MONK_SHADES[int(name) - 1] if scheme == "monk" else LINE
    label = f"{tone_name(name, scheme)} ({found.images})"
    return Mark(label, found.mean, found.low, found.high, color, hollow=found.images < ENOUGH)


def _said(name: str, found: MeanInterval, scheme: Scheme, info: MetricInfo) -> str:
    ends = ""
    if found.low is not None and found.high is not None:
        ends = f" [{value_text(found.low, info)}, {value_text(found.high, info)}]"
    images = counted(found.images, "image")
    return f"{tone_name(name, scheme)} {value_text(found.mean, info)}{ends} over {images}"
