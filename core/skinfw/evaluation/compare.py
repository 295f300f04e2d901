"""Several runs side by side: their results, and the differences of their specs. Light: no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from skinfw.components.registry import TRAINED
from skinfw.errors import RunError, counted
from skinfw.evaluation.comparable import (
    EvaluatedRun,
    choose_anchor,
    partial_metrics,
    unlike_metrics,
    unlike_run,
    unlike_samples,
)
from skinfw.evaluation.evaluated_run import read_evaluated_run
from skinfw.evaluation.metric_metadata import merged, metadata_table
from skinfw.evaluation.metric_tables import (
    COSTS,
    UNRANKED,
    Cell,
    Table,
    cost_cells,
    masks_note,
    value_columns,
    value_heading,
    value_label,
)
from skinfw.evaluation.results import Cost, MetricInfo
from skinfw.evaluation.summary import compared_text, few_images, verdict_of

_NOT_COMPARED = ("name", "$schema")
_ABSENT = "absent"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the fields in which specs differ, with the values as text.

    Args:
        specs: filled specs from `flat`; names do not count.

    Example:
        >>> differences([{"discriminator": None}, {"discriminator.type": "patchgan"}])
        {'discriminator.type': ['absent', 'patchgan']}
    """
    # what is empty in one spec and has fields in another shows in these fields
    within = {path[:dot] for spec in specs for path in spec for dot, sign in enumerate(path) if sign == "."}
    paths = dict.fromkeys(
        path
        for spec in specs
        for path, value in spec.items()
        if path not in _NOT_COMPARED and (path not in within or value not in (None, [], {}))
    )
    rows = {path: [_text(spec[path]) if path in spec else _ABSENT for spec in specs] for path in paths}
    return {path: values for path, values in rows.items() if len(set(values)) > 1}


@dataclass(frozen=True)
class ComparedBaseline:
    """A baseline that was measured beside a run.

    Attributes:
        label: its name, with that of the run if baselines of the same name have other values.
        run: the run, the first one that has these values.
        name: its name in the results of the run.
        again: further runs that have the same values.
    """

    label: str
    run: EvaluatedRun
    name: str
    again: Sequence[EvaluatedRun] = ()

    @property
    def values(self) -> Mapping[str, float | None]:
        """Its values by ``region/name``."""
        return self.run.evaluation.values[self.name]

    @property
    def cost(self) -> Cost:
        """What it took on the device of ``run``: the mean time over the runs there, the largest memory."""
        device = self.run.evaluation.device
        there = [run for run in (self.run, *self.again) if run.evaluation.device == device]
        return Cost.of_all(run.evaluation.cost(self.name) for run in there)


@dataclass(frozen=True)
class Comparison:
    """Several runs.

    Attributes:
        runs: the runs in the given order.
    """

    runs: Sequence[EvaluatedRun]

    @property
    def metrics(self) -> dict[str, MetricInfo]:
        """Units and directions of all metrics of the runs."""
        return {key: info for run in self.runs for key, info in run.evaluation.metrics.items()}

    @cached_property
    def anchor(self) -> EvaluatedRun:
        """The run that the others are compared to; see `skinfw.evaluation.comparable`."""
        return choose_anchor(self.runs) or self.runs[0]

    @property
    def rows(self) -> list[EvaluatedRun | ComparedBaseline]:
        """The runs, then the baselines."""
        return [*self.runs, *self.baselines]

    @cached_property
    def baselines(self) -> list[ComparedBaseline]:
        """The baselines of all runs; one that has the same values in several runs counts once."""
        found: dict[str, list[list[EvaluatedRun]]] = {}
        for run in self.runs:
            for name, values in run.evaluation.values.items():
                if name == TRAINED:
                    continue
                groups = found.setdefault(name, [])
                same = (
                    group
                    for group in groups
                    if group[0].evaluation.values[name] == values and not unlike_samples(run, group[0])
                )
                group = next(same, None)
                if group is None:
                    groups.append([run])
                else:
                    group.append(run)
        return [
            ComparedBaseline(name if len(groups) == 1 else f"{name} of {run.label}", run, name, again)
            for name, groups in found.items()
            for run, *again in groups
        ]

    def incomparable(self, compared: EvaluatedRun | ComparedBaseline) -> str:
        """Return why none of the values of a run or a baseline is ranked, or an empty text."""
        if isinstance(compared, ComparedBaseline):
            return unlike_samples(compared.run, self.anchor)
        return unlike_run(compared, self.anchor)

    def unranked(self, compared: EvaluatedRun | ComparedBaseline) -> dict[str, str]:
        """Return by ``region/name`` why a value of a run or a baseline is not ranked."""
        whole = self.incomparable(compared)
        if whole:
            return dict.fromkeys(self.metrics, whole)
        if isinstance(compared, ComparedBaseline):
            partial = partial_metrics(compared.run, self.anchor, compared.name)
            return {**partial, **unlike_metrics(compared.run, self.anchor)}
        return {**partial_metrics(compared, self.anchor), **unlike_metrics(compared, self.anchor)}

    def table(self) -> Table:
        """Return the values and costs of the runs, then those of the baselines.

        The best of the values that may be ranked are marked, unless they are over one image.
        """
        unranked = [self.unranked(each) for each in self.rows]
        counts = self.anchor.evaluation.counts()
        images = {key: counts.get(key, 0) for key in self.metrics}
        cells = value_columns([each.values for each in self.rows], self.metrics, unranked, images=images)
        keeps = any(run.evaluation.violations for run in self.runs)
        rows = []
        for each, values in zip(self.rows, cells, strict=True):
            if isinstance(each, ComparedBaseline):
                run, inpainter, label, step = each.run, each.name, f"{each.label} (baseline)", "-"
            else:
                run, inpainter, label, step = each, TRAINED, each.label, f"{each.evaluation.step:,}"
            found = run.evaluation
            if self.incomparable(each):  # said once, not per value
                label += " (not comparable)"
                values = [Cell(cell.text.removesuffix(UNRANKED)) for cell in values]
            changed = [Cell(str(found.violations.get(inpainter, 0)))] if keeps else []
            steps = [Cell(str(len(found.names))), Cell(step)]
            cost = each.cost if isinstance(each, ComparedBaseline) else found.cost(inpainter)
            rows.append((label, [*values, *changed, *cost_cells(cost), *steps]))
        heads = [value_heading(key, info) for key, info in self.metrics.items()]
        kept = ["kept pixels changed"] if keeps else []
        return Table("run", [*heads, *kept, *COSTS, "images", "step"], rows)

    def summary(self) -> str:
        """Compare the runs that may be ranked with `anchor`, by its first metric; empty if there are none."""
        anchor = self.anchor
        key = anchor.evaluation.monitored_metric()
        if key is None or (other := anchor.values.get(key)) is None:
            return ""
        found = []
        for run in self.runs:
            value = run.values.get(key)
            if run is not anchor and value is not None and key not in self.unranked(run):
                verdict = verdict_of(run.evaluation, anchor.evaluation, key)
                compared = compared_text(value, other, self.metrics[key], anchor.label, verdict)
                found.append(f"{run.label} is {compared}")
        few = few_images(anchor.evaluation, key, "run")
        return f"By {value_label(key)}, {', '.join(found)}.{few}" if found else ""

    def differences(self) -> dict[str, list[str]]:
        """Return the spec fields whose values differ, by dotted path, with each run's value as text."""
        return differences([run.spec for run in self.runs])

    def differences_table(self, *, every: bool = False) -> Table:
        """Return `shown_differences`, or all `differences`, as a table, one field per row."""
        found = self.differences() if every else self.shown_differences()
        rows = [(path, [Cell(value) for value in values]) for path, values in found.items()]
        return Table("spec field", [run.label for run in self.runs], rows)

    def shown_differences(self) -> dict[str, list[str]]:
        """Return `differences` without the parameters of components of another type, which say little."""
        found = self.differences()
        types = [path for path in found if path.endswith(".type")]
        inside = {
            path
            for path in found
            if any(path != each and path.startswith(each.removesuffix("type")) for each in types)
        }
        return {path: values for path, values in found.items() if path not in inside}

    def folded_text(self) -> str:
        """Return how many fields `shown_differences` omits."""
        hidden = len(self.differences()) - len(self.shown_differences())
        same = len(self.common_fields())
        parts = [f"{counted(hidden, 'parameter')} of components of different types"] if hidden else []
        return ", ".join([*parts, f"{counted(same, 'field')} with the same value"])

    def common_fields(self) -> dict[str, str]:
        """Return the spec fields that have the same value in all runs, as text."""
        first, *others = (run.spec for run in self.runs)
        return {
            path: _text(value)
            for path, value in first.items()
            if path not in _NOT_COMPARED
            and all(path in other and _text(other[path]) == _text(value) for other in others)
        }

    def metadata_table(self) -> Table:
        """Return how each value was measured: region, images, and the metric's metadata."""
        return metadata_table({run.label: run.evaluation for run in self.runs})

    def masks_notes(self) -> list[str]:
        """Return which runs were measured with computed masks, for the runs with one each."""
        notes: dict[str, list[str]] = {}
        for run in self.runs:
            notes.setdefault(masks_note(run.evaluation), []).append(run.label)
        return [f"{', '.join(labels)}: {note}" for note, labels in notes.items() if note]

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries used; those of each run if they differ."""
        return merged({run.label: run.versions for run in self.runs})

    def warnings(self) -> list[str]:
        """Return which values are not ranked, and why; of a baseline, only what its run does not say."""
        warnings = []
        for each in self.rows:
            known = self.unranked(each.run) if isinstance(each, ComparedBaseline) else {}
            if whole := self.incomparable(each):
                warnings += [] if whole in known.values() else [f"{each.label}: {whole}"]
            else:
                found: dict[str, list[str]] = {}
                for key, why in self.unranked(each).items():
                    if known.get(key) != why:
                        found.setdefault(why, []).append(value_label(key))
                warnings += [f"{each.label}: {', '.join(what)}: {why}" for why, what in found.items()]
        return warnings


def compare_runs(folders: Sequence[str | Path]) -> Comparison:
    """Read the results of several runs; their plugins need not be installed.

    Raises:
        RunError: a folder is not a run or was not measured, or the runs have different tasks.
    """
    paths = [Path(folder) for folder in folders]
    names = [Path(os.path.realpath(path)).name for path in paths]  # resolve() raises for a loop of links
    labels = [str(path) if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]
    runs = [read_evaluated_run(path, label) for path, label in zip(paths, labels, strict=True)]
    first = runs[0]
    for run in runs[1:]:
        if run.evaluation.task != first.evaluation.task:
            raise RunError(
                f"{first.label} has the task {first.evaluation.task}, but {run.label} {run.evaluation.task}; "
                "compare runs of one task"
            )
    return Comparison(runs)
