"""The tables of an ablation. Light: no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from skinfw.ablation.published import PUBLISHED_METRICS
from skinfw.ablation.results import AblationResult, VariantResult
from skinfw.ablation.statistics import Spread
from skinfw.components.direction import badness
from skinfw.evaluation.bootstrap import DRAWS, MIN_IMAGES
from skinfw.evaluation.metric_metadata import metadata_table, versions_text
from skinfw.evaluation.metric_tables import (
    COSTS,
    NONE,
    UNRANKED,
    UNRANKED_NOTE,
    Cell,
    Table,
    amount_text,
    best_of,
    cost_cells,
    masks_note,
    value_heading,
    value_label,
    value_text,
)
from skinfw.evaluation.paired import Difference, paired_difference
from skinfw.evaluation.results import MetricInfo


def metrics_table(result: AblationResult) -> Table:
    """Return the variants' values, mean ± standard deviation over seeds, and costs, then the baselines'.

    The best mean of each column is marked, unless the size proves nothing or one test image has a value;
    variants that are not comparable cannot have it.
    """
    judged = [each.means for each in result.comparable] + list(result.baselines.values())
    best = {
        key: best_of([row.get(key) for row in judged], info) if key in _ranked(result) else None
        for key, info in result.metrics.items()
    }
    rows = []
    for variant in result.variants:
        cells = [
            Cell(
                f"{spread_text(variant.spreads.get(key), info)}{UNRANKED if _aside(variant, key) else ''}",
                best[key] is not None and variant.means.get(key) == best[key],
            )
            for key, info in result.metrics.items()
        ]
        label = f"{variant.name} (not comparable)" if variant.incomparable else variant.name
        rows.append((label, [*cells, *cost_cells(variant.cost), Cell(seeds_text(variant))]))
    for name, values in result.baselines.items():
        cells = [
            Cell(value_text(values.get(key), info), best[key] is not None and values.get(key) == best[key])
            for key, info in result.metrics.items()
        ]
        costs = cost_cells(result.baseline_costs[name])
        rows.append((f"{name} (baseline)", [*cells, *costs, Cell("nothing to train")]))
    heads = [value_heading(key, info) for key, info in result.metrics.items()]
    return Table("variant", [*heads, *COSTS, "seeds"], rows)


def _ranked(result: AblationResult) -> list[str]:
    """Return the metrics whose best value is marked."""
    return [key for key, count in result.images.items() if result.plan.conclusive and count > 1]


def _aside(variant: VariantResult, key: str) -> bool:
    """Return whether a single value is not ranked; the name of a variant says it for all of its values."""
    return key in variant.spreads and key not in variant.means and not variant.incomparable


def metrics_note(result: AblationResult) -> str:
    """Describe the table of metrics."""
    best = "the best mean of each column is bold, however small its lead; " if _ranked(result) else ""
    aside = any(_aside(variant, key) for variant in result.variants for key in result.metrics)
    parts = [
        f"Mean ± standard deviation over seeds on the test images; {best}arrows show whether higher, "
        "lower or nearer to 0 is better.",
        f"{COSTS[0]} of a variant: the mean over seeds; {COSTS[1]}: the largest.",
        "Values and costs of the baselines are those of one run." if result.baselines else "",
        f"{UNRANKED_NOTE}; the warnings say why." if aside else "",
        ""
        if result.anchor is None or (run := result.anchor.evaluated) is None
        else masks_note(run.evaluation),
    ]
    return " ".join(filter(None, parts))


def seeds_text(variant: VariantResult) -> str:
    """Return how many of a variant's seeds are done: ``3``, or ``2 of 3``."""
    done, planned = len(variant.done), len(variant.runs)
    return str(done) if done == planned else f"{done} of {planned}"


def spread_text(spread: Spread | None, info: MetricInfo) -> str:
    """Return a metric as mean ± standard deviation; only the mean for one seed."""
    if spread is None:
        return NONE
    text = value_text(spread.mean, info)
    if spread.deviation is None:
        return text
    return f"{text} ± {amount_text(spread.deviation, info) if info.unit else f'{spread.deviation:.2g}'}"


def differences_table(result: AblationResult) -> Table | None:
    """Return the difference of each variant to the reference, with 95 % intervals.

    Variants that are better at both ends of the interval are marked. None if there is nothing to compare.
    """
    compared = [each for each in result.variants if each.differences]
    keys = [key for key in result.metrics if any(key in each.differences for each in compared)]
    if not keys:
        return None
    rows = [
        (each.name, [_difference_cell(each.differences.get(key), result.metrics[key]) for key in keys])
        for each in compared
    ]
    heads = [value_heading(key, result.metrics[key]) for key in keys]
    return Table(f"minus {result.plan.reference}", heads, rows)


def _difference_cell(difference: Difference | None, info: MetricInfo) -> Cell:
    if difference is None:
        return Cell(NONE)
    return Cell(difference_text(difference, info), difference.verdict(info.direction) == "better")


def difference_text(difference: Difference, info: MetricInfo) -> str:
    """Return a difference as ``+1.20 [+0.80, +1.60], p = 0.01``."""
    mean, low, high = (
        f"{value:+.2f}" if info.unit else f"{value:+.3g}"
        for value in (difference.mean, difference.low, difference.high)
    )
    return f"{mean} [{low}, {high}], {p_text(difference.p)}"


def p_text(p: float) -> str:
    """Return a two-sided p; below the bootstrap's resolution, as an upper bound."""
    return f"p < {2 / DRAWS:g}" if p < 2 / DRAWS else f"p = {p:.2g}"


def published_comparison(result: AblationResult) -> Table | None:
    """Return the variants' values and those published in the report.

    None if the report has none, or at a size that proves nothing.
    """
    table = result.plan.ablation.published_table
    if table is None or not result.plan.conclusive:
        return None
    rows = []
    for variant in result.variants:
        row = published_row(result, variant)
        cells = []
        for key, info in PUBLISHED_METRICS.items():
            value = table.value(row, key)
            cells += [
                Cell(spread_text(variant.spreads.get(key), info)),
                Cell(NONE if value is None else f"{value:g}"),
            ]
        rows.append((f"{variant.name} / {table.rows[row]}" if row in table.rows else variant.name, cells))
    heads = [
        f"{value_heading(key, info)}, {whose}"
        for key, info in PUBLISHED_METRICS.items()
        for whose in ("here", "report")
    ]
    return Table("variant / report", heads, rows)


def published_row(result: AblationResult, variant: VariantResult) -> str:
    """Return the name of a variant's row in the report."""
    return result.plan.ablation.published_rows.get(variant.name, variant.name)


def orderings(result: AblationResult) -> list[str]:
    """Return for each published metric how many pairs of variants are in the report's order.

    Pairs that are equal in the report do not count, and nothing does at a size that proves nothing.
    """
    table = result.plan.ablation.published_table
    if table is None or not result.plan.conclusive:
        return []
    agreements = []
    for key, info in PUBLISHED_METRICS.items():
        pairs: list[tuple[float, float]] = []
        for one, other in combinations(result.comparable, 2):
            ours = [each.means.get(key) for each in (one, other)]
            theirs = [table.value(published_row(result, each), key) for each in (one, other)]
            if None not in (*ours, *theirs) and theirs[0] != theirs[1]:
                pairs.append((_sign(ours, info), _sign(theirs, info)))
        if pairs:
            same = sum(here == there for here, there in pairs)
            agreements.append(f"{value_label(key)}: {same} of {_pairs(len(pairs))} in the report's order")
    return agreements


def _pairs(count: int) -> str:
    return f"{count} pair{'s are' if count != 1 else ' is'}"


def _sign(values: Sequence[float | None], info: MetricInfo) -> float:
    """Return 1 if the first of two values is better, -1 if it is worse, 0 if they are equal."""
    first, second = (value or 0.0 for value in values)
    return 0 if first == second else 1 if info.better(first, second) else -1


def spec_table(result: AblationResult) -> Table | None:
    """Return the spec fields in which the variants differ; None if there are none."""
    found = result.spec_differences()
    if not found:
        return None
    rows = [(path, [Cell(value) for value in values]) for path, values in found.items()]
    return Table("spec field", [each.name for each in result.variants], rows)


def metric_metadata(result: AblationResult) -> Table | None:
    """Return how each value was measured: region, images, backbone, resizing; None before the first run."""
    measured = {each.name: each.done[0].evaluated for each in result.variants if each.done}
    evaluations = {name: run.evaluation for name, run in measured.items() if run is not None}
    return metadata_table(evaluations) if evaluations else None


def metadata_note(result: AblationResult) -> str:
    """Return what the metrics were measured with."""
    anchor = result.anchor
    versions = {} if anchor is None or anchor.evaluated is None else anchor.evaluated.versions
    with_what = f" Measured with {versions_text(versions)}." if versions else ""
    return f"How each value was measured.{with_what}"


def summary(result: AblationResult) -> str:
    """Return which variant is best by the monitor, whether that is clear, and a baseline ahead of it.

    The best variant is compared to the reference; the reference, to the second best. As results choose this
    comparison among those of all variants with one, its interval and p are corrected for their number.
    """
    anchor = result.anchor
    key = anchor.evaluated.evaluation.monitored_metric() if anchor and anchor.evaluated else None
    known = [each for each in result.comparable if key in each.means]
    if key is None or not known:
        return "No run has been measured yet."
    if not result.plan.conclusive:
        return (
            f"These results prove nothing: the size {result.plan.size} only shows that every variant runs. "
            "Choose another --size to answer the question."
        )
    info = result.metrics[key]
    winner, *others = sorted(known, key=lambda each: _badness(each.means[key], info))
    mean = f"{spread_text(winner.spreads[key], info)} {info.unit}".rstrip()
    text = f"Best mean {value_label(key)}: {winner.name}, {mean}"
    other = result.reference if result.reference in others else next(iter(others), None)
    difference = None
    if other is not None:
        difference = paired_difference(winner.image_means(key), other.image_means(key), len(others))
    if other is not None and difference is not None:
        verdict = difference.verdict(info.direction)
        corrected = f", corrected for {len(others)} comparisons" if len(others) > 1 else ""
        text += (
            f" ({difference_text(difference, info)} against {other.name}, per image{corrected}: {verdict})"
        )
    text += "."
    if result.images[key] < MIN_IMAGES:
        return f"{text} Fewer than {MIN_IMAGES} test images do not show which variant is better."
    return f"{text}{_baseline_ahead(result, key, winner)}"


def _baseline_ahead(result: AblationResult, key: str, winner: VariantResult) -> str:
    """Return a sentence about the best baseline if its mean is better than a variant's, or an empty text."""
    info = result.metrics[key]
    found = {name: known for name, each in result.baselines.items() if (known := each.get(key)) is not None}
    best = min(found, key=lambda name: _badness(found[name], info), default=None)
    if best is None or not info.better(found[best], winner.spreads[key].mean):
        return ""
    reached = f"The baseline {best} reaches {value_text(found[best], info)} {info.unit}".rstrip()
    difference = paired_difference(result.baseline_images(best, key), winner.image_means(key))
    return f" {reached}." if difference is None else f" {reached}: {difference.verdict(info.direction)}."


def _badness(value: float | None, info: MetricInfo) -> float:
    """Return a number that is smaller for a better value; the largest for a value that is not finite."""
    return math.inf if value is None or not math.isfinite(value) else badness(value, info.direction)
