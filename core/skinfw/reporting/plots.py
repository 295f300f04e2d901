"""Curves of a run's log and means of groups, drawn as SVG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skinfw.components.strict_model import LARGEST_NUMBER
from skinfw.evaluation.metric_tables import value_label
from skinfw.reporting.data_uri import data_uri

INK = "#808690"
"""Readable on white and on near black: an embedded image does not know the page's colors."""

LINE = "#3b82c4"
MAX_POINTS = 400


@dataclass(frozen=True)
class Curve:
    """One value over the steps of a run.

    Attributes:
        title: what it is.
        steps: training steps, ascending.
        values: one value per step.
    """

    title: str
    steps: Sequence[int]
    values: Sequence[float]

    @property
    def summary(self) -> str:
        """The curve as alternative text."""
        return (
            f"{self.title} from {self.values[0]:.4g} at step {self.steps[0]} to {self.values[-1]:.4g} "
            f"at step {self.steps[-1]}"
        )


def loss_curves(log: Iterable[Mapping[str, Any]]) -> list[Curve]:
    """Return one curve for each loss in a run's log (`skinfw.runs.folder.Run.read_log`)."""
    return _curves(log, "step", "losses", lambda name: name.replace("_", " ").replace("/", " "))


def validation_curves(log: Iterable[Mapping[str, Any]]) -> list[Curve]:
    """Return one curve for each validation metric."""
    return _curves(log, "evaluation", "values", value_label)


def _curves(log: Iterable[Mapping[str, Any]], event: str, key: str, title: Any) -> list[Curve]:
    points: dict[str, list[tuple[int, float]]] = {}
    for record in log:
        if record.get("event") == event:
            for name, value in record.get(key, {}).items():
                # larger values, in an edited log, cannot be drawn; nor can NaN
                if value is not None and abs(value) <= LARGEST_NUMBER:
                    points.setdefault(name, []).append((record["step"], value))
    return [
        Curve(title(name), [step for step, _ in pairs], [value for _, value in pairs])
        for name, pairs in points.items()
    ]


def thinned(curve: Curve) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return at most `MAX_POINTS` points, each the mean of its neighbors."""
    parts = min(MAX_POINTS, len(curve.steps))
    steps = [part.mean() for part in np.array_split(np.asarray(curve.steps, float), parts)]
    values = [part.mean() for part in np.array_split(np.asarray(curve.values, float), parts)]
    return np.asarray(steps), np.asarray(values)


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw the same everywhere: matplotlib reads settings in the current folder, which may start LaTeX.

    Texts are shown as they are, as names of metrics are not formulas.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {"svg.hashsalt": "skinfw", "svg.fonttype": "path", "font.size": 9, "text.parse_math": False}
        )
        yield


def draw(curve: Curve) -> str:
    """Draw a curve without background; return it as the ``data:`` URL of an SVG."""
    with plot_style():
        figure, axes = _figure(2.0)
        steps, values = thinned(curve)
        marker = "o" if len(steps) <= 40 else ""
        axes.plot(steps, values, color=LINE, linewidth=1.4, marker=marker, markersize=3)
        axes.set_xlabel("step", color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        return _svg(figure)


@dataclass(frozen=True)
class Mark:
    """The mean of a group.

    Attributes:
        label: the group's name.
        mean: the mean.
        low: lower end of its interval; None for no interval.
        high: upper end of its interval; None for no interval.
        color: its color as CSS.
        hollow: whether the mean is unreliable.
    """

    label: str
    mean: float
    low: float | None
    high: float | None
    color: str = LINE
    hollow: bool = False


def draw_marks(marks: Sequence[Mark]) -> str:
    """Draw a mark with its interval for each group, from top to bottom; return an SVG's ``data:`` URL."""
    with plot_style():
        figure, axes = _figure(0.6 + 0.26 * len(marks))
        for place, mark in enumerate(marks):
            if mark.low is not None and mark.high is not None:
                axes.plot([mark.low, mark.high], [place, place], color=INK, linewidth=1.6)
            face = "none" if mark.hollow else mark.color
            axes.plot([mark.mean], [place], "o", color=mark.color, mec=INK, mfc=face, markersize=7)
        axes.set_yticks(range(len(marks)), [mark.label for mark in marks])
        axes.set_ylim(len(marks) - 0.5, -0.5)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        return _svg(figure)


def _figure(height: float) -> tuple[Figure, Axes]:
    """Return a figure of this height in inches, and its axes."""
    figure = Figure(figsize=(3.6, height), layout="constrained")
    axes = figure.add_subplot()
    axes.tick_params(colors=INK)
    axes.grid(color=INK, alpha=0.25, linewidth=0.6)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    return figure, axes


def _svg(figure: Figure) -> str:
    """Return a figure without background as the ``data:`` URL of an SVG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return data_uri(stream.getvalue(), "image/svg+xml")
