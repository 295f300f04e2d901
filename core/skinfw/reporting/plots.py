"""Curves of a run's log, drawn as SVG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
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
        figure = Figure(figsize=(3.6, 2.0), layout="constrained")
        axes = figure.add_subplot()
        steps, values = thinned(curve)
        marker = "o" if len(steps) <= 40 else ""
        axes.plot(steps, values, color=LINE, linewidth=1.4, marker=marker, markersize=3)
        axes.set_xlabel("step", color=INK)
        axes.tick_params(colors=INK)
        axes.grid(color=INK, alpha=0.25, linewidth=0.6)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(INK)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return data_uri(stream.getvalue(), "image/svg+xml")
