"""The results of an ablation, read from its run folders. Light: no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinfw.ablation.plan import Plan
from skinfw.ablation.run_result import RunResult, read_run
from skinfw.ablation.statistics import Spread
from skinfw.components.registry import TRAINED
from skinfw.errors import counted
from skinfw.evaluation.bootstrap import MIN_IMAGES
from skinfw.evaluation.comparable import (
    EvaluatedRun,
    choose_anchor,
    partial_metrics,
    unlike_metrics,
    unlike_run,
)
from skinfw.evaluation.compare import differences
from skinfw.evaluation.evaluated_run import flat
from skinfw.evaluation.metric_tables import value_label
from skinfw.evaluation.paired import Difference, image_means, paired_difference
from skinfw.evaluation.results import Cost, MetricInfo


@dataclass(frozen=True)
class VariantResult:
    """One variant over its seeds.

    Attributes:
        name: the variant's name.
        runs: its runs in the order of the seeds.
        spreads: each metric by ``region/name``; absent if no run has a value.
        differences: each metric against the reference variant; absent for that variant, for metrics without a
            value per image, at a size that proves nothing, and if ``incomparable`` gives a reason.
        incomparable: why none of its values is ranked, or an empty text.
        unranked: why a single value is not ranked, by ``region/name``.
    """

    name: str
    runs: Sequence[RunResult]
    spreads: Mapping[str, Spread]
    differences: Mapping[str, Difference]
    incomparable: str
    unranked: Mapping[str, str]

    @property
    def done(self) -> list[RunResult]:
        """The measured runs."""
        return [run for run in self.runs if run.evaluated is not None]

    @property
    def devices(self) -> list[str]:
        """On what its runs were measured."""
        return sorted({run.evaluated.evaluation.device for run in self.runs if run.evaluated is not None})

    @property
    def cost(self) -> Cost:
        """What its networks took: the mean time over the seeds, and the largest memory.

        Nothing if the seeds were measured on different devices.
        """
        if len(self.devices) > 1:
            return Cost(None, None)
        return Cost.of_all(run.cost for run in self.runs)

    @property
    def means(self) -> dict[str, float | None]:
        """The mean of each metric that may be ranked, by ``region/name``."""
        if self.incomparable:
            return {}
        return {key: spread.mean for key, spread in self.spreads.items() if key not in self.unranked}

    def image_means(self, key: str) -> dict[str, float]:
        """Return each test image's mean of a metric over the seeds; empty for metrics over a set."""
        return image_means([run.images(key) for run in self.done])


@dataclass(frozen=True)
class AblationResult:
    """The results of an ablation.

    Attributes:
        plan: the planned runs.
        variants: the variants in order.
        metrics: unit and direction of each metric, by ``region/name``.
        baselines: values of the baselines by name and ``region/name``; they have nothing to train, so they
            are the same in all runs.
    """

    plan: Plan
    variants: Sequence[VariantResult]
    metrics: Mapping[str, MetricInfo]
    baselines: Mapping[str, Mapping[str, float | None]]

    @property
    def output(self) -> Path:
        """The output folder."""
        return self.plan.output

    @property
    def page_path(self) -> Path:
        """The page as one HTML file."""
        return self.output / "ablation.html"

    @property
    def runs(self) -> list[RunResult]:
        """All runs, variant by variant."""
        return [run for variant in self.variants for run in variant.runs]

    @property
    def failures(self) -> list[RunResult]:
        """The runs that failed."""
        return [run for run in self.runs if run.status == "failed"]

    @property
    def reference(self) -> VariantResult:
        """The reference variant."""
        return next(each for each in self.variants if each.name == self.plan.reference)

    @property
    def comparable(self) -> list[VariantResult]:
        """The variants measured on the same images."""
        return [each for each in self.variants if each.done and not each.incomparable]

    @property
    def anchor(self) -> RunResult | None:
        """The first measured run, of the reference variant if it has one."""
        return _anchor(self.plan.reference, self.runs)

    @property
    def images(self) -> dict[str, int]:
        """The number of test images with a value of each metric; all for a metric over the set."""
        found = None if self.anchor is None else self.anchor.evaluated
        counts = {} if found is None else found.evaluation.counts()
        return {key: counts.get(key, 0) for key in self.metrics}

    @property
    def baseline_costs(self) -> dict[str, Cost]:
        """What each baseline took in the run of `anchor`."""
        found = None if self.anchor is None else self.anchor.evaluated
        return {} if found is None else {name: found.evaluation.cost(name) for name in self.baselines}

    def baseline_images(self, name: str, key: str) -> dict[str, float]:
        """Return a baseline's value of each test image in the run of `anchor`."""
        found = None if self.anchor is None else self.anchor.evaluated
        return {} if found is None else image_means([found.evaluation.image_values(name, key)])

    def spec_differences(self) -> dict[str, list[str]]:
        """Return the spec fields in which the variants differ, with each variant's value as text."""
        specs = [flat(variant.runs[0].planned.spec.to_json()) for variant in self.variants]
        return differences(specs)

    def warnings(self) -> list[str]:
        """Return the warnings about the results."""
        warnings = [
            f"{each.name}: {each.incomparable}; not comparable" for each in self.variants if each.incomparable
        ]
        warnings += [
            f"{each.name}: {value_label(key)}: {why}; not ranked"
            for each in self.variants
            if not each.incomparable
            for key, why in each.unranked.items()
        ]
        warnings += [
            f"{each.name}: no time and memory, as its seeds were measured on different devices: "
            + ", ".join(device or "unknown" for device in each.devices)
            for each in self.variants
            if len(each.devices) > 1
        ]
        for each in self.variants:
            if 0 < len(each.done) < len(each.runs):
                warnings.append(f"{each.name}: {len(each.done)} of {counted(len(each.runs), 'seed')} done")
        few = self._on_few_images()
        if few:
            labels = ", ".join(map(value_label, few))
            warnings.append(
                f"fewer than {MIN_IMAGES} test images have a value for {labels}: the variants cannot be "
                "compared image by image, so they have no intervals or p-values"
            )
        return warnings

    def _on_few_images(self) -> list[str]:
        """Return the metrics with a value for too few images to compare variants by."""
        if self.anchor is None or not self.plan.conclusive or len(self.comparable) < 2:
            return []
        return [key for key, count in self.images.items() if self.anchor.images(key) and count < MIN_IMAGES]


def collect(plan: Plan) -> AblationResult:
    """Read the existing results of an ablation; missing or unreadable runs have a status and a reason."""
    runs = [read_run(planned) for planned in plan.runs]
    metrics = {
        key: info
        for run in runs
        if run.evaluated is not None
        for key, info in run.evaluated.evaluation.metrics.items()
    }
    anchor = _anchor(plan.reference, runs)
    of = {name: [run for run in runs if run.planned.variant == name] for name in plan.variants}
    reasons = {name: _incomparable(of[name], anchor) or _other_seeds(name, of, anchor) for name in of}
    unlike = {name: _by_metric(of[name], anchor, unlike_metrics) for name in of}
    variants = []
    for name, own in of.items():
        apart = name == plan.reference or bool(reasons[name] or reasons[plan.reference])
        apart = apart or not plan.conclusive
        alike = [key for key in metrics if key not in {**unlike[name], **unlike[plan.reference]}]
        compared = {} if apart else _differences(own, of[plan.reference], alike)
        unranked = {
            **_by_metric(own, anchor, partial_metrics),
            **_missing(own, list(metrics)),
            **unlike[name],
        }
        spreads = _spreads(own, list(metrics))
        variants.append(VariantResult(name, own, spreads, compared, reasons[name], unranked))
    return AblationResult(plan, variants, metrics, _baselines(anchor))


def _anchor(reference: str, runs: Sequence[RunResult]) -> RunResult | None:
    done = [run for run in runs if run.evaluated is not None]
    done.sort(key=lambda run: run.planned.variant != reference)
    chosen = choose_anchor([run.evaluated for run in done if run.evaluated is not None])
    return next((run for run in done if run.evaluated is chosen), None)


def _incomparable(runs: Sequence[RunResult], anchor: RunResult | None) -> str:
    """Return why the runs of a variant may not be ranked against another run, or an empty text."""
    if anchor is None or anchor.evaluated is None:
        return ""
    for run in runs:
        reason = "" if run.evaluated is None else unlike_run(run.evaluated, anchor.evaluated)
        if reason:
            return reason if len(runs) == 1 else f"seed {run.planned.seed} was {reason}"
    return ""


def _other_seeds(name: str, of: Mapping[str, Sequence[RunResult]], anchor: RunResult | None) -> str:
    """Return why the means of a variant are over different seeds from the reference's, or an empty text."""
    if anchor is None:
        return ""
    other = anchor.planned.variant
    ours, theirs = (
        [run.planned.seed for run in of[each] if run.evaluated is not None] for each in (name, other)
    )
    if not ours or ours == theirs:
        return ""
    here, there = (", ".join(map(str, seeds)) for seeds in (ours, theirs))
    return f"measured with the seeds {here}, but {other} with {there}"


def _by_metric(
    runs: Sequence[RunResult],
    anchor: RunResult | None,
    unlike: Callable[[EvaluatedRun, EvaluatedRun], dict[str, str]],
) -> dict[str, str]:
    """Return why single values of a variant may not be ranked, by ``region/name``."""
    if anchor is None or anchor.evaluated is None:
        return {}
    found: dict[str, str] = {}
    for run in runs:
        if run.evaluated is not None:
            found |= unlike(run.evaluated, anchor.evaluated)
    return found


def _missing(runs: Sequence[RunResult], keys: Sequence[str]) -> dict[str, str]:
    """Return the metrics that only some runs of a variant have, so that the mean is over fewer seeds."""
    found = [run.evaluated.values for run in runs if run.evaluated is not None]
    known = {key: sum(values.get(key) is not None for values in found) for key in keys}
    return {
        key: f"has a value in {count} of {counted(len(found), 'run')}"
        for key, count in known.items()
        if 0 < count < len(found)
    }


def _spreads(runs: Sequence[RunResult], keys: Sequence[str]) -> dict[str, Spread]:
    found = [run.evaluated.values for run in runs if run.evaluated is not None]
    spreads = {key: Spread.of([values.get(key) for values in found]) for key in keys}
    return {key: spread for key, spread in spreads.items() if spread is not None}


def _differences(
    runs: Sequence[RunResult], reference: Sequence[RunResult], keys: Sequence[str]
) -> dict[str, Difference]:
    sides = [[run for run in side if run.evaluated is not None] for side in (runs, reference)]
    found = {}
    for key in keys:
        variant, compared = (image_means([run.images(key) for run in side]) for side in sides)
        difference = paired_difference(variant, compared)
        if difference is not None:
            found[key] = difference
    return found


def _baselines(anchor: RunResult | None) -> dict[str, Mapping[str, float | None]]:
    if anchor is None or anchor.evaluated is None:
        return {}
    values = anchor.evaluated.evaluation.values
    return {name: each for name, each in values.items() if name != TRAINED}
