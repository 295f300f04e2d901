"""An ablation as CSV, Markdown, LaTeX and JSON. Light: no torch."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, astuple
from typing import Any

from skinfw.ablation.published import NOTE
from skinfw.ablation.results import AblationResult, VariantResult
from skinfw.ablation.run_result import RunResult
from skinfw.ablation.tables import (
    differences_table,
    metadata_note,
    metric_metadata,
    metrics_note,
    metrics_table,
    orderings,
    published_comparison,
    published_row,
    spec_table,
    summary,
)
from skinfw.evaluation.bootstrap import BOOTSTRAP_SEED, DRAWS, LEVEL
from skinfw.evaluation.metric_tables import Table
from skinfw.reporting.tables import markdown_table, tex_table
from skinfw.runs.environment import environment


def differences_note(result: AblationResult) -> str:
    """Describe the table of differences."""
    return (
        f"Difference to {result.plan.reference} over the same test images, each the mean over its seeds: "
        f"mean, 95 % interval and two-sided p of a paired bootstrap of {DRAWS:,} draws. Bold is better at "
        "both ends of the interval. It shows how reliable the difference is on other images; the seeds show "
        "how reliable it is when training is repeated."
    )


def to_csv(result: AblationResult) -> str:
    """Return one line per variant and baseline, at full precision."""
    parts = ("mean", "deviation", "runs", "difference", "low", "high", "p", "images")
    table = result.plan.ablation.published_table
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    head = [
        "variant",
        "kind",
        "seeds_done",
        "seeds_planned",
        "comparable",
        "seconds_per_image",
        "peak_memory",
        "costs_stated",
    ]
    published = [] if table is None else list(next(iter(table.values.values())))
    heads = [f"{key} {part}" for key in result.metrics for part in parts]
    writer.writerow([*head, *heads, *(f"report {key}" for key in published)])
    for variant in result.variants:
        seeds = [len(variant.done), len(variant.runs)]
        costs = astuple(variant.cost)
        facts = [variant.name, "variant", *seeds, not variant.incomparable, *costs]
        cells = [cell for key in result.metrics for cell in _cells(variant, key)]
        row = published_row(result, variant)
        writer.writerow([*facts, *cells, *(table and table.value(row, key) for key in published)])
    for name, baseline in result.baselines.items():
        values = [cell for key in result.metrics for cell in (baseline.get(key), *[None] * (len(parts) - 1))]
        costs = astuple(result.baseline_costs[name])
        writer.writerow([name, "baseline", None, None, True, *costs, *values, *[None] * len(published)])
    return stream.getvalue()


def _cells(variant: VariantResult, key: str) -> list[float | int | None]:
    spread, difference = variant.spreads.get(key), variant.differences.get(key)
    first = [None] * 3 if spread is None else [spread.mean, spread.deviation, len(spread.values)]
    if difference is None:
        return [*first, *[None] * 5]
    return [*first, difference.mean, difference.low, difference.high, difference.p, difference.images]


def _tables(result: AblationResult) -> list[tuple[str, Table]]:
    """Return the tables with their captions."""
    published = result.plan.ablation.published_table
    section = "" if published is None else f" ({published.title}, section {published.section} of the report)"
    tables = [
        (metrics_note(result), metrics_table(result)),
        (metadata_note(result), metric_metadata(result)),
        (differences_note(result), differences_table(result)),
        (
            " ".join([NOTE + section, *(f"{line}." for line in orderings(result))]),
            published_comparison(result),
        ),
        ("Differences of the variants' specs.", spec_table(result)),
    ]
    return [(note, table) for note, table in tables if table is not None]


def remarks(result: AblationResult) -> list[str]:
    """Return the warnings and the failed runs."""
    return [
        *(f"Warning: {warning}." for warning in result.warnings()),
        *(f"Failed: {run.planned.label}: {run.reason}" for run in result.failures),
    ]


def to_markdown(result: AblationResult) -> str:
    """Return the tables as Markdown."""
    ablation = result.plan.ablation
    parts = [f"# {ablation.title or ablation.name}", ablation.question, summary(result)]
    for note, table in _tables(result):
        parts += [markdown_table(table), note]
    return "\n\n".join(part for part in [*parts, *remarks(result)] if part) + "\n"


def to_tex(result: AblationResult) -> str:
    """Return the tables as LaTeX floats; the document needs the package booktabs."""
    parts = [r"% needs \usepackage{booktabs}"]
    parts += [tex_table(table, note) for note, table in _tables(result)]
    parts += [f"% {line}".replace("\n", " ") for line in remarks(result)]
    return "\n\n".join(parts) + "\n"


def to_json(result: AblationResult) -> str:
    """Return everything as JSON."""
    plan = result.plan
    table = plan.ablation.published_table if plan.conclusive else None
    value: dict[str, Any] = {
        "ablation": plan.ablation.to_json(),
        "size": plan.size,
        "compared_to": plan.reference,
        "summary": summary(result),
        "metrics": {key: asdict(info) for key, info in result.metrics.items()},
        "variants": {variant.name: _variant_json(result, variant) for variant in result.variants},
        "baselines": {
            name: {"values": values, **asdict(result.baseline_costs[name])}
            for name, values in result.baselines.items()
        },
        "bootstrap": {"draws": DRAWS, "level": LEVEL, "seed": BOOTSTRAP_SEED},
        "published": None if table is None else {**asdict(table), "note": NOTE, "orders": orderings(result)},
        "spec_differences": {
            path: dict(zip([each.name for each in result.variants], values, strict=True))
            for path, values in result.spec_differences().items()
        },
        "commits": plan.commits,
        "warnings": result.warnings(),
        "environment": environment(plan.runs[0].spec),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _variant_json(result: AblationResult, variant: VariantResult) -> dict[str, Any]:
    table = result.plan.ablation.published_table
    row = published_row(result, variant)
    return {
        "incomparable": variant.incomparable or None,
        "unranked": dict(variant.unranked),
        **asdict(variant.cost),
        "values": {key: asdict(spread) for key, spread in variant.spreads.items()},
        "differences": {key: asdict(each) for key, each in variant.differences.items()},
        "published": None if table is None else table.values.get(row),
        "runs": [_run_json(run) for run in variant.runs],
    }


def _run_json(run: RunResult) -> dict[str, Any]:
    return {
        "seed": run.planned.seed,
        "folder": f"{run.planned.variant}/{run.planned.folder.name}",
        "status": run.status,
        "reason": run.reason or None,
        "seconds": run.seconds,
        "where": run.where or None,
        "checkpoint": run.evaluated and run.evaluated.checkpoint,
        "sha256": run.evaluated and run.evaluated.sha256,
        "trained_steps": run.evaluated and run.evaluated.steps,
        "total_steps": run.evaluated and run.evaluated.total_steps,
        "data": run.evaluated and run.evaluated.data,
        "step": run.evaluated and run.evaluated.evaluation.step,
        **asdict(run.cost),
        "values": None if run.evaluated is None else dict(run.evaluated.values),
        "unavailable": {} if run.evaluated is None else dict(run.evaluated.evaluation.unavailable),
    }
