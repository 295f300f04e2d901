"""Evaluating a generator and the baselines on the same samples."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import torch

from skinfw.assembly.assemble import build_dataset
from skinfw.components.field_names import BODY, SKIN
from skinfw.components.registry import TRAINED
from skinfw.data.loading import Loader
from skinfw.data.sample_cache import SampleCache
from skinfw.errors import DataError, SkinfwError
from skinfw.evaluation.covered import covered
from skinfw.evaluation.metric_set import MetricSet
from skinfw.evaluation.results import Evaluation, SkinTone, SplitName
from skinfw.evaluation.skin_tone import skin_tones
from skinfw.evaluation.together import ALONE, Together, in_parts, own_part, reject_together
from skinfw.inference.paint import InpaintedBatch, ProgressCallback, inpaint_batches
from skinfw.interfaces import Dataset, Generator
from skinfw.specs.spec import Spec
from skinfw.system.devices import device_name

logger = logging.getLogger("skinfw")

_NO_BASELINES: Mapping[str, Generator[Any]] = MappingProxyType({})


@dataclass(frozen=True)
class _Measured:
    """The results of one generator."""

    names: list[str]
    metrics: MetricSet
    values: dict[str, float | None]
    violations: int
    seconds_per_image: float | None
    peak_memory: int | None
    tones: tuple[SkinTone | None, ...]


@dataclass
class _Part:
    """What one process measured of a generator, beside the metrics."""

    names: list[str] = field(default_factory=list)
    violations: int = 0
    times: list[tuple[float, int]] = field(default_factory=list)
    tones: list[SkinTone | None] = field(default_factory=list)
    grown: int | None = None

    def add(self, inpainted: InpaintedBatch, *, with_tones: bool) -> None:
        """Add a batch."""
        batch = inpainted.batch
        self.names += batch.names
        self.violations += sum(inpainted.violations(index) for index in range(len(batch.names)))
        self.times.append((inpainted.seconds, len(batch.names)))
        self.tones += skin_tones(batch[BODY], batch[SKIN]) if with_tones else []
        self.grown = inpainted.grown if self.grown is None else self.grown  # of the first batch


def evaluate_generator(
    generator: Generator[Any],
    spec: Spec,
    dataset: Dataset[Any],
    names: Sequence[str],
    *,
    split: SplitName,
    step: int,
    device: torch.device,
    baselines: Mapping[str, Generator[Any]] = _NO_BASELINES,
    required: Collection[str] = (),
    cache: SampleCache | None = None,
    progress: ProgressCallback | None = None,
    together: Together = ALONE,
) -> Evaluation:
    """Inpaint samples and evaluate the images as they would be written to disk.

    Baselines are evaluated on exactly the generator's images; a baseline that cannot inpaint one of them has
    no values. The caller's random state is preserved.

    Args:
        generator: the trained generator, on ``device``.
        spec: defines the metrics, the composite, and how samples are loaded.
        dataset: the source of the samples, with the generator's inputs.
        names: the samples.
        split: the name of their split, for the record.
        step: training steps of the weights.
        device: the device.
        baselines: further generators to evaluate, by name.
        required: names of the baselines that must inpaint all images; the others are skipped if they cannot.
        cache: caches decoded samples of the data, if given.
        progress: called with the number of finished samples and the total.
        together: the processes among which the samples are shared out; all call this with the same
            arguments. In all but the first one, the result has no values.

    Raises:
        DataError: a sample cannot be read and the spec does not skip it, or none can be read.
        SkinfwError: a required baseline cannot inpaint an image.
    """
    for name in required:
        baselines[name].fingerprint()  # a missing file is an error before the work
    count = _Counter(len(names) * (1 + len(baselines)), progress)
    cards = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(cards, device_type="cuda" if device.type == "cpu" else device.type):
        torch.manual_seed(spec.seed)
        skip = spec.data.on_corrupt == "skip"
        with_memory = split != "validation"  # where nothing shows it
        measured = {
            TRAINED: _measure(
                generator, spec, dataset, names, device, count,
                skip_corrupt=skip, with_tones=split != "validation", with_memory=with_memory, cache=cache,
                together=together,
            )
        }  # fmt: skip
        unavailable: dict[str, str] = {}
        inpainted = measured[TRAINED].names
        for name, baseline in baselines.items():
            count.begin(len(names) * len(measured) + len(names) * len(unavailable))
            try:
                data = in_parts(partial(_begun, baseline, spec, inpainted), together)
                measured[name] = _measure(
                    baseline.to(device), spec, data, inpainted, device, count,
                    with_memory=with_memory, cache=cache, together=together,
                )  # fmt: skip
            except SkinfwError as error:
                if name in required:
                    raise
                if together.index == 0:
                    logger.warning("baseline %s is skipped: %s", name, error)
                unavailable[name] = str(error)
    stated = tuple(name for name in baselines if name in measured and not baselines[name].timed)
    return replace(_evaluation(split, step, measured, unavailable), device=device_name(device), stated=stated)


def _begun(baseline: Generator[Any], spec: Spec, names: Sequence[str]) -> Dataset[Any]:
    """Let a baseline find what it needs for all samples; return the samples with its inputs."""
    baseline.begin_batch(names)
    return build_dataset(spec, baseline.io.inputs)


class _Counter:
    """Counts inpainted images over all generators; one process counts for all of them."""

    def __init__(self, total: int, progress: ProgressCallback | None) -> None:
        self.total = total
        self.done = 0
        self.progress = progress

    def begin(self, done: int) -> None:
        """Go to the start of a generator, even if the previous one skipped images."""
        self.done = done

    def add(self, images: int) -> None:
        """Count images and report progress."""
        self.done = min(self.done + images, self.total)
        if self.progress is not None:
            self.progress(self.done, self.total)


def _measure(
    generator: Generator[Any],
    spec: Spec,
    dataset: Dataset[Any],
    names: Sequence[str],
    device: torch.device,
    count: _Counter,
    *,
    skip_corrupt: bool = False,
    with_tones: bool = False,
    with_memory: bool,
    cache: SampleCache | None = None,
    together: Together,
) -> _Measured:
    metrics = MetricSet(spec)
    shared = all(together.exchange(metrics.can_be_added))
    if shared:
        own = own_part(names, spec.training.eval_batch_size, together)
    else:
        own = names if together.index == 0 else names[:0]
    loader = Loader(
        dataset if cache is None else cache.reading(dataset),
        own,
        batch_size=spec.training.eval_batch_size,
        num_workers=spec.data.num_workers,
        device=device,
        skip_corrupt=skip_corrupt,
        shown=[SKIN] if SKIN in dataset.io.inputs else [],
    )

    def measure() -> _Part:
        part = _Part()
        batches = covered(loader, spec)
        for inpainted in inpaint_batches(generator, spec, batches, device, with_memory=with_memory):
            # the written image, rounded to 8 bits, is evaluated
            images, alpha = inpainted.tensors()
            metrics.update(images.to(device), inpainted.batch, None if alpha is None else alpha.to(device))
            part.add(inpainted, with_tones=with_tones)
            count.add(len(inpainted.batch.names) * (together.count if shared else 1))
        return part

    part = in_parts(measure, together)
    measured_names = [name for each in together.exchange(part.names) for name in each]
    error = DataError(f"none of the {len(names)} samples to evaluate can be read; the warnings above say why")
    reject_together(None if measured_names else error, together)
    collected = together.collect((part, metrics.added() if shared else None))
    if not collected:
        return _Measured(measured_names, metrics, {}, 0, None, None, ())
    for _, added in collected[1:]:
        if added is not None:
            metrics.add(added)
    return _joined(measured_names, metrics, [part for part, _ in collected], generator)


def _joined(
    names: list[str], metrics: MetricSet, parts: Sequence[_Part], generator: Generator[Any]
) -> _Measured:
    """Return the results of all processes, in the order of the samples."""
    violations = sum(part.violations for part in parts)
    if violations:
        logger.error("%d pixels outside the mask changed; this is a bug in skinfw", violations)
    # the first batch of a process includes the warm-up
    times = [each for part in parts for each in (part.times[1:] or part.times)]
    total, images = (sum(each) for each in zip(*times, strict=True))
    tones = tuple(tone for part in parts for tone in part.tones)
    seconds = total / images if generator.timed else generator.stated_seconds
    grown = [part.grown for part in parts if part.grown is not None]
    # its parameters and buffers were there before its first pass
    weights = sum(each.nbytes for each in (*generator.parameters(), *generator.buffers()))
    peak = max(grown) + weights if grown else generator.stated_memory
    return _Measured(names, metrics, metrics.compute(), violations, seconds, peak, tones)


def _evaluation(
    split: SplitName,
    step: int,
    measured: Mapping[str, _Measured],
    unavailable: Mapping[str, str],
) -> Evaluation:
    reasons = {
        f"{inpainter}/{key}": reason
        for inpainter, each in measured.items()
        for key, reason in each.metrics.unavailable.items()
    }
    return Evaluation(
        split=split,
        step=step,
        names=measured[TRAINED].names,
        metrics=measured[TRAINED].metrics.info,
        values={inpainter: each.values for inpainter, each in measured.items()},
        per_image={inpainter: each.metrics.per_image for inpainter, each in measured.items()},
        violations={inpainter: each.violations for inpainter, each in measured.items()},
        seconds_per_image={inpainter: each.seconds_per_image for inpainter, each in measured.items()},
        peak_memory={inpainter: each.peak_memory for inpainter, each in measured.items()},
        unavailable={**unavailable, **reasons},
        tones=measured[TRAINED].tones,
    )
