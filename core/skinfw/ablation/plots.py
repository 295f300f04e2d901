"""The plots of an ablation, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skinfw.ablation.results import AblationResult
from skinfw.evaluation.metric_tables import value_heading
from skinfw.evaluation.results import MetricInfo
from skinfw.reporting.plots import INK, LINE, plot_style

PANELS_A_ROW = 3


def draw_means(result: AblationResult) -> str | None:
    """Draw each metric's mean over seeds with bars of one standard deviation; return an SVG.

    Single runs are small dots, baselines gray squares. None if nothing was measured.
    """
    names = [each.name for each in result.variants]
    labels = [*names, *result.baselines]

    def panel(axes: Axes, key: str) -> None:
        for place, variant in enumerate(result.variants):
            spread = variant.spreads.get(key)
            if spread is not None:
                axes.errorbar(
                    spread.mean,
                    place,
                    xerr=spread.deviation or 0.0,
                    fmt="o",
                    color=LINE,
                    capsize=3,
                    markersize=6,
                )
                axes.plot(spread.values, [place] * len(spread.values), ".", color=INK, markersize=3, zorder=3)
        for place, values in enumerate(result.baselines.values(), len(names)):
            value = values.get(key)
            if value is not None:
                axes.plot([value], [place], "s", color=INK, markersize=5)

    keys = [key for key in result.metrics if any(key in each.spreads for each in result.variants)]
    return _panels(keys, labels, result, panel) if keys else None


def draw_differences(result: AblationResult) -> str | None:
    """Draw the paired differences with their 95 % intervals; return an SVG, or None if there are none."""
    compared = [each for each in result.variants if each.differences]

    def panel(axes: Axes, key: str) -> None:
        axes.axvline(0.0, color=INK, linewidth=1.0)
        for place, variant in enumerate(compared):
            found = variant.differences.get(key)
            if found is not None:
                axes.plot([found.low, found.high], [place, place], color=LINE, linewidth=2.0)
                axes.plot([found.mean], [place], "o", color=LINE, markersize=6)

    keys = [key for key in result.metrics if any(key in each.differences for each in compared)]
    return _panels(keys, [each.name for each in compared], result, panel) if keys else None


def _panels(keys: Sequence[str], labels: Sequence[str], result: AblationResult, panel: Any) -> str:
    columns = min(PANELS_A_ROW, len(keys))
    rows = -(-len(keys) // columns)
    with plot_style():
        figure = Figure(figsize=(4.0 * columns, rows * (0.9 + 0.3 * len(labels))), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for index, axes in enumerate(grid.flat):
            if index < len(keys):
                _dress(axes, keys[index], result.metrics[keys[index]], labels)
                panel(axes, keys[index])
            else:
                axes.set_visible(False)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return stream.getvalue()


def _dress(axes: Axes, key: str, info: MetricInfo, labels: Sequence[str]) -> None:
    axes.set_title(value_heading(key, info), color=INK, fontsize=9)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(colors=INK)
    axes.grid(axis="x", color=INK, alpha=0.25, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
