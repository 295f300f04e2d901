"""Several runs side by side: their figures, and where their specs differ. Light: no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skinfw.errors import RunError
from skinfw.evaluation.results import TRAINED, Evaluation, MetricInfo
from skinfw.jsonfile import read_json
from skinfw.reporting.cards import cards_table, differing, merged
from skinfw.reporting.figures import Cell, Table, figure_columns, figure_heading, figure_label
from skinfw.run_folder import spec_file

_NOT_COMPARED = ("name", "$schema")
_ABSENT = "absent"


@dataclass(frozen=True)
class RunFigures:
    """What a comparison takes from one run.

    Attributes:
        label: what the run is called.
        checkpoint: which checkpoint was measured.
        data: fingerprint of the data.
        evaluation: the figures of the test.
        spec: the filled spec by dotted path.
        versions: of the libraries that measured, by name.
    """

    label: str
    checkpoint: str
    data: str
    evaluation: Evaluation
    spec: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> Mapping[str, float | None]:
        """The figures of the trained generator by ``region/name``."""
        return self.evaluation.values[TRAINED]


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a JSON value by dotted path; a list of plain values is a leaf."""
    if isinstance(value, dict) and value:
        pairs = [(f"{path}.{key}" if path else key, each) for key, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        pairs = [(f"{path}.{index}", each) for index, each in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, each in pairs for key, leaf in flat(each, name).items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the fields in which specs differ, with each one's value as text.

    Args:
        specs: filled specs as `flat` gives them; names do not count.
    """
    paths = dict.fromkeys(path for spec in specs for path in spec if path not in _NOT_COMPARED)
    rows = {path: [_text(spec[path]) if path in spec else _ABSENT for spec in specs] for path in paths}
    return {path: values for path, values in rows.items() if len(set(values)) > 1}


def read_figures(folder: Path, label: str) -> RunFigures:
    """Read the figures of one run; none of its plugins needs to be installed.

    Raises:
        RunError: the folder is no run, or was not measured.
    """
    spec = spec_file(folder)
    path = folder / "metrics.json"
    if not path.is_file():
        raise RunError(f"{folder}: has no metrics.json; measure it first: skinfw evaluate {folder}")
    record = read_json(path)
    try:
        evaluation = Evaluation.from_json(record["test"])
        return RunFigures(
            label=label,
            checkpoint=record["checkpoint"],
            data=record["data"],
            evaluation=evaluation,
            spec=flat(read_json(spec)),
            versions=record.get("versions", {}),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path}: holds no figures of a run; measure it again: skinfw evaluate {folder}"
        ) from error


@dataclass(frozen=True)
class Comparison:
    """Several runs.

    Attributes:
        runs: the runs in the order in which they were named.
    """

    runs: Sequence[RunFigures]

    @property
    def metrics(self) -> dict[str, MetricInfo]:
        """How to read the figures that any of the runs has."""
        return {key: info for run in self.runs for key, info in run.evaluation.metrics.items()}

    def table(self) -> Table:
        """Return the runs' figures; the best ones are marked."""
        cells = figure_columns([run.values for run in self.runs], self.metrics)
        keeps = any(run.evaluation.violations for run in self.runs)
        rows = []
        for run, figures in zip(self.runs, cells, strict=True):
            found = run.evaluation
            changed = [str(found.violations[TRAINED])] if keeps else []
            rows.append(
                (run.label, [*figures, *map(Cell, [*changed, str(len(found.names)), f"{found.step:,}"])])
            )
        heads = [figure_heading(key, info) for key, info in self.metrics.items()]
        kept = ["kept pixels changed"] if keeps else []
        return Table("run", [*heads, *kept, "pictures", "step"], rows)

    def differences(self) -> dict[str, list[str]]:
        """Return the spec fields whose values differ, by dotted path, with each run's value as text."""
        return differences([run.spec for run in self.runs])

    def differences_table(self) -> Table:
        """Return `differences` as a table, one field a row."""
        rows = [(path, [Cell(value) for value in values]) for path, values in self.differences().items()]
        return Table("spec field", [run.label for run in self.runs], rows)

    def cards_table(self) -> Table:
        """Return how each figure came about: region, pictures, and the metric's own card."""
        return cards_table({run.label: run.evaluation for run in self.runs})

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that measured, where they differ with each run's."""
        return merged({run.label: run.versions for run in self.runs})

    def warnings(self) -> list[str]:
        """Say why the figures may not be comparable."""
        first, told = self.runs[0], []
        for run in self.runs[1:]:
            if list(run.evaluation.names) != list(first.evaluation.names):
                told.append(f"{run.label} was measured on other test samples than {first.label}")
            elif run.data != first.data:
                told.append(f"{run.label} was measured on other data than {first.label}")
            told += [
                f"{run.label} measured {figure_label(key)} in another way than {first.label} "
                f"({', '.join(labels)})"
                for key, info in run.evaluation.metrics.items()
                if key in first.evaluation.metrics
                and (labels := differing([info.card, first.evaluation.metrics[key].card]))
            ]
        return told


def compare_runs(folders: Sequence[str | Path]) -> Comparison:
    """Read the figures of several runs; none of their plugins needs to be installed.

    Raises:
        RunError: a folder is no run, or was not measured, or the runs are of different tasks.
    """
    paths = [Path(folder) for folder in folders]
    names = [path.resolve().name for path in paths]
    labels = [str(path) if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]
    runs = [read_figures(path, label) for path, label in zip(paths, labels, strict=True)]
    first = runs[0]
    for run in runs[1:]:
        if run.evaluation.task != first.evaluation.task:
            raise RunError(
                f"{first.label} is a run of {first.evaluation.task}, {run.label} one of "
                f"{run.evaluation.task}; compare runs of one task"
            )
    return Comparison(runs)
