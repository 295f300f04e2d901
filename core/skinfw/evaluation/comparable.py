"""Decides whether the metrics of runs may be ranked. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skinfw.components.registry import TRAINED
from skinfw.errors import counted
from skinfw.evaluation.results import Evaluation, MetricInfo

_METADATA_NOT_COMPARED = "warnings"
"""Metadata that depends on the images, not on the measurement."""


@dataclass(frozen=True)
class EvaluatedRun:
    """What a comparison uses of one run.

    Attributes:
        label: the run's name.
        checkpoint: the evaluated checkpoint, ``best`` or ``last``.
        sha256: its SHA-256 in hex.
        data: fingerprint of the data.
        evaluation: the results of the test.
        spec: the filled spec by dotted path.
        steps: optimizer steps of the run when it was evaluated.
        total_steps: optimizer steps of the whole run; None if unknown.
        length: epochs and steps in the spec when it was evaluated.
        versions: versions of the libraries used, by name.
    """

    label: str
    checkpoint: str
    sha256: str
    data: str
    evaluation: Evaluation
    spec: Mapping[str, Any]
    steps: int
    total_steps: int | None
    length: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> Mapping[str, float | None]:
        """The values of the trained generator by ``region/name``."""
        return self.evaluation.values[TRAINED]

    @property
    def unfinished(self) -> str:
        """Why the run itself cannot be ranked, or an empty text."""
        if self.total_steps is not None and self.steps < self.total_steps:
            return (
                f"measured after {self.steps:,} of {counted(self.total_steps, 'step')}; resume it to the end"
            )
        if any(self.spec.get(f"training.{key}") != value for key, value in self.length.items()):
            return "extended after it was measured; resume it to the end"
        return ""


def choose_anchor(runs: Sequence[EvaluatedRun]) -> EvaluatedRun | None:
    """Return the reference run: the first finished one with its best weights."""
    finished = [run for run in runs if not run.unfinished]
    best = [run for run in finished if run.checkpoint == "best"]
    return next(iter([*best, *finished, *runs]), None)


def unlike_run(run: EvaluatedRun, anchor: EvaluatedRun) -> str:
    """Return why none of a run's values may be ranked against those of another run, or an empty text."""
    if run.unfinished:
        return run.unfinished
    if run.checkpoint != anchor.checkpoint:
        return (
            f"measured with its {run.checkpoint} checkpoint, {anchor.label} with its {anchor.checkpoint} one"
        )
    return unlike_samples(run, anchor)


def unlike_samples(run: EvaluatedRun, anchor: EvaluatedRun) -> str:
    """Return in what the measured samples of a run differ from those of another run, or an empty text.

    Values of baselines may not be ranked then either.
    """
    if set(run.evaluation.names) != set(anchor.evaluation.names):
        return f"measured on different test samples from {anchor.label}"
    if run.data != anchor.data:
        return f"measured on different data from {anchor.label}"
    if run.spec.get("data.size") != anchor.spec.get("data.size"):
        return f"measured at a different size from {anchor.label}"
    for margin in ("data.garment_margin", "data.mask_margin"):
        if run.spec.get(margin) != anchor.spec.get(margin):
            return f"measured with other masks than {anchor.label} ({margin})"
    return ""


def unlike_metrics(run: EvaluatedRun, anchor: EvaluatedRun) -> dict[str, str]:
    """Return by ``region/name`` why a value may not be ranked against that of another run.

    For example, it was measured with other parameters, another backbone or other resizing.
    """
    found = {}
    others = anchor.evaluation.metrics
    for key, info in run.evaluation.metrics.items():
        if key in others and (what := _differing(info, others[key])):
            found[key] = f"measured differently from {anchor.label} ({', '.join(what)})"
    return found


def partial_metrics(run: EvaluatedRun, anchor: EvaluatedRun, inpainter: str = TRAINED) -> dict[str, str]:
    """Return by ``region/name`` which means are over different images from those of another run.

    Images without a value change the mean. The values per image can still be compared.

    Args:
        run: the run.
        anchor: the other run, whose trained generator counts.
        inpainter: the run's trained generator, or the name of one of its baselines.
    """
    found = {}
    for key in run.evaluation.metrics:
        ours, theirs = _with_value(run, key, inpainter), _with_value(anchor, key, TRAINED)
        if ours is not None and theirs is not None and ours != theirs:
            total = len(run.evaluation.names)
            found[key] = (
                f"has a value for {len(ours)} of {counted(total, 'image')}, {anchor.label} for {len(theirs)}"
            )
    return found


def _with_value(run: EvaluatedRun, key: str, inpainter: str) -> set[str] | None:
    values = run.evaluation.per_image.get(inpainter, {}).get(key)
    if values is None:
        return None
    names = zip(run.evaluation.names, values, strict=True)
    return {name for name, value in names if value is not None}


def _differing(info: MetricInfo, other: MetricInfo) -> list[str]:
    """Return how the measurements of two values with the same name differ."""
    differing = []
    for ours, theirs in ((info.parameters, other.parameters), (info.metadata, other.metadata)):
        labels = dict.fromkeys([*ours, *theirs])
        differing += [
            str(label)
            for label in labels
            if label != _METADATA_NOT_COMPARED and ours.get(label) != theirs.get(label)
        ]
    if (info.unit, info.direction) != (other.unit, other.direction):
        differing.append("unit or direction")
    return differing
