"""A comparison of runs as CSV, Markdown or JSON. Light: no torch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from skinfw.components.registry import TRAINED
from skinfw.errors import UserError
from skinfw.evaluation.compare import Comparison
from skinfw.evaluation.metric_metadata import images_text, versions_text
from skinfw.evaluation.metric_tables import Cell, Table
from skinfw.reporting.tables import markdown_table
from skinfw.system.json_file import write_text


def to_csv(comparison: Comparison) -> str:
    """Return one line per run and baseline: values at full precision, then the spec fields that differ."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    metrics, fields = list(comparison.metrics), comparison.differences()
    writer.writerow(
        [
            "run",
            "kind",
            "checkpoint",
            "step",
            "steps",
            "total_steps",
            "images",
            "violations",
            "not_comparable",
            "seconds_per_image",
            "peak_memory",
            "costs_stated",
            *metrics,
            *fields,
        ]
    )
    for index, run in enumerate(comparison.runs):
        found = run.evaluation
        facts = [
            run.label, "run", run.checkpoint, found.step, run.steps, run.total_steps, len(found.names),
            found.violations.get(TRAINED, 0), comparison.incomparable(run), *astuple(found.cost(TRAINED)),
        ]  # fmt: skip
        values = [run.values.get(key) for key in metrics]
        writer.writerow([*facts, *values, *(values[index] for values in fields.values())])
    for each in comparison.baselines:
        found = each.run.evaluation
        facts = [
            each.label, "baseline", None, None, None, None, len(found.names),
            found.violations.get(each.name, 0), comparison.incomparable(each), *astuple(each.cost),
        ]  # fmt: skip
        writer.writerow([*facts, *(each.values.get(key) for key in metrics), *[None] * len(fields)])
    return stream.getvalue()


def to_markdown(comparison: Comparison) -> str:
    """Return the values, the best in bold, how they were measured, and the spec fields that differ.

    All other spec fields are folded.
    """
    parts = [markdown_table(comparison.table()), comparison.summary()]
    parts += [markdown_table(comparison.metadata_table())]
    parts += comparison.masks_notes()
    if comparison.versions():
        parts.append(f"Measured with {versions_text(comparison.versions())}.")
    if comparison.differences():
        parts.append(markdown_table(comparison.differences_table()))
    if comparison.warnings():
        parts.append("\n".join(["Not ranked:", "", *(f"- {warning}" for warning in comparison.warnings())]))
    hidden = len(comparison.differences()) > len(comparison.shown_differences())
    folded = [markdown_table(comparison.differences_table(every=True))] if hidden else []
    common = [(path, [Cell(value)]) for path, value in comparison.common_fields().items()]
    folded.append(markdown_table(Table("spec field", ["all runs"], common)))
    summary = f"<details><summary>{comparison.folded_text()}</summary>"
    parts += [summary, *folded, "</details>"]
    return "\n\n".join(filter(None, parts)) + "\n"


def to_json(comparison: Comparison) -> str:
    """Return everything of a comparison as JSON."""
    value: dict[str, Any] = {
        "summary": comparison.summary(),
        "runs": [
            {
                "run": run.label,
                "checkpoint": run.checkpoint,
                "sha256": run.sha256,
                "step": run.evaluation.step,
                "trained_steps": run.steps,
                "total_steps": run.total_steps,
                "not_comparable": comparison.incomparable(run) or None,
                "not_ranked": comparison.unranked(run),
                "images": len(run.evaluation.names),
                "violations": run.evaluation.violations.get(TRAINED, 0),
                **asdict(run.evaluation.cost(TRAINED)),
                "values": dict(run.values),
                "metadata": {key: dict(info.metadata) for key, info in run.evaluation.metrics.items()},
                "counts": {key: images_text(run.evaluation, key) for key in run.evaluation.metrics},
                "versions": dict(run.versions),
            }
            for run in comparison.runs
        ],
        "baselines": [
            {
                "baseline": each.label,
                "run": each.run.label,
                "not_comparable": comparison.incomparable(each) or None,
                "not_ranked": comparison.unranked(each),
                "violations": each.run.evaluation.violations.get(each.name, 0),
                **asdict(each.cost),
                "values": dict(each.values),
            }
            for each in comparison.baselines
        ],
        "metrics": {
            key: {"unit": info.unit, "direction": info.direction} for key, info in comparison.metrics.items()
        },
        "differences": {
            path: {run.label: run.spec.get(path) for run in comparison.runs}
            for path in comparison.differences()
        },
        "warnings": comparison.warnings(),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


WRITERS: dict[str, Callable[[Comparison], str]] = {".csv": to_csv, ".md": to_markdown, ".json": to_json}
"""Writers of a comparison by file extension."""


def check_suffix(path: Path) -> None:
    """Reject a file with an unknown extension.

    Raises:
        UserError: the extension is not in `WRITERS`.
    """
    if path.suffix.lower() not in WRITERS:
        *most, last = WRITERS
        raise UserError(
            f"{path}: the name must end in {', '.join(most)} or {last}; the extension chooses the format"
        )


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write a comparison in the format of the file's extension.

    Raises:
        UserError: the extension is not in `WRITERS`.
        RunError: the file cannot be written.
    """
    check_suffix(path)
    write_text(path, WRITERS[path.suffix.lower()](comparison))
