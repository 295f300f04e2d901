"""Several runs side by side: their results, and the differences of their specs. Light: no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from skinfw.components.registry import TRAINED
from skinfw.errors import RunError, counted
from skinfw.evaluation.comparable import (
    EvaluatedRun,
    choose_anchor,
    partial_metrics,
    unlike_metrics,
    unlike_run,
)
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
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.runs.folder import spec_file
from skinfw.system.json_file import read_json

_NOT_COMPARED = ("name", "$schema")
_ABSENT = "absent"


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a JSON value by dotted path; a list of plain values is a leaf.

    So is a list of components without parameters: of their names.
    """
    if isinstance(value, list):
        names = [each["type"] if isinstance(each, dict) and [*each] == ["type"] else each for each in value]
        if not any(isinstance(each, dict | list) for each in names):
            return {path: names}
    if isinstance(value, dict) and value:
        pairs = [(f"{path}.{key}" if path else key, each) for key, each in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{path}.{index}", each) for index, each in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, each in pairs for key, leaf in flat(each, name).items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the fields in which specs differ, with the values as text.

    Args:
        specs: filled specs from `flat`; names do not count.
    """
    paths = dict.fromkeys(path for spec in specs for path in spec if path not in _NOT_COMPARED)
    rows = {path: [_text(spec[path]) if path in spec else _ABSENT for spec in specs] for path in paths}
    return {path: values for path, values in rows.items() if len(set(values)) > 1}


class _Measured(BaseModel):
    which: str
    sha256: str


class _Length(BaseModel):
    step: int
    total_steps: int | None
    epochs: int | None
    steps: int | None


class _Record(BaseModel):
    """The content of metrics.json."""

    checkpoint: _Measured
    training: _Length
    data: str
    versions: dict[str, str] = {}
    test: dict[str, Any]


def read_evaluated_run(folder: Path, label: str) -> EvaluatedRun:
    """Read the results of one run, or those on other data; its plugins need not be installed.

    Raises:
        RunError: the folder is not a run, or was not measured.
    """
    path = folder / "metrics.json"
    # results on other data have no spec.json next to them
    spec = None if path.is_file() and not (folder / "spec.json").exists() else spec_file(folder)
    if not path.is_file():
        raise RunError(f"{folder}: has no metrics.json; measure it first: skinfw evaluate {folder}")
    record = read_json(path, file_names=True)
    try:
        _Record.model_validate(record)
        measured, training = record["checkpoint"], record["training"]
        return EvaluatedRun(
            label=label,
            checkpoint=measured["which"],
            sha256=measured["sha256"],
            data=record["data"],
            evaluation=Evaluation.from_json(record["test"]),
            spec=flat(record["spec"] if spec is None else read_json(spec)),
            steps=training["step"],
            total_steps=training["total_steps"],
            length={key: training[key] for key in ("epochs", "steps")},
            versions=record.get("versions", {}),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise RunError(
            f"{path}: does not contain the results of a run; measure it again: skinfw evaluate {folder}"
        ) from error


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

    def incomparable(self, run: EvaluatedRun) -> str:
        """Return why none of a run's values is ranked, or an empty text."""
        return unlike_run(run, self.anchor)

    def unranked(self, run: EvaluatedRun) -> dict[str, str]:
        """Return by ``region/name`` why a value of a run is not ranked."""
        whole = self.incomparable(run)
        if whole:
            return dict.fromkeys(self.metrics, whole)
        return {**partial_metrics(run, self.anchor), **unlike_metrics(run, self.anchor)}

    def table(self) -> Table:
        """Return the runs' values; the best of those that may be ranked are marked."""
        unranked = [self.unranked(run) for run in self.runs]
        cells = value_columns([run.values for run in self.runs], self.metrics, unranked)
        keeps = any(run.evaluation.violations for run in self.runs)
        rows = []
        for run, values in zip(self.runs, cells, strict=True):
            found = run.evaluation
            label = run.label
            if self.incomparable(run):  # said once, not per value
                label += " (not comparable)"
                values = [Cell(cell.text.removesuffix(UNRANKED)) for cell in values]
            changed = [Cell(str(found.violations.get(TRAINED, 0)))] if keeps else []
            steps = [Cell(str(len(found.names))), Cell(f"{found.step:,}")]
            rows.append((label, [*values, *changed, *cost_cells(found, TRAINED), *steps]))
        heads = [value_heading(key, info) for key, info in self.metrics.items()]
        kept = ["kept pixels changed"] if keeps else []
        return Table("run", [*heads, *kept, *COSTS, "images", "step"], rows)

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
        """Return which values are not ranked, and why."""
        warnings = []
        for run in self.runs:
            if whole := self.incomparable(run):
                warnings.append(f"{run.label}: {whole}")
            else:
                found: dict[str, list[str]] = {}
                for key, why in self.unranked(run).items():
                    found.setdefault(why, []).append(value_label(key))
                warnings += [f"{run.label}: {', '.join(what)}: {why}" for why, what in found.items()]
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
