"""Evaluating a generator and the baselines on the same samples."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
from skinfw.inference.paint import ProgressCallback, inpaint_batches
from skinfw.interfaces import Dataset, Generator
from skinfw.specs.spec import Spec

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
    tones: tuple[SkinTone | None, ...]


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

    Raises:
        DataError: a sample cannot be read and the spec does not skip it, or none can be read.
        SkinfwError: a required baseline cannot inpaint an image.
    """
    count = _Counter(len(names) * (1 + len(baselines)), progress)
    cards = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(cards, device_type="cuda" if device.type == "cpu" else device.type):
        torch.manual_seed(spec.seed)
        skip = spec.data.on_corrupt == "skip"
        measured = {
            TRAINED: _measure(
                generator, spec, dataset, names, device, count,
                skip_corrupt=skip, with_tones=split != "validation", cache=cache,
            )
        }  # fmt: skip
        unavailable: dict[str, str] = {}
        inpainted = measured[TRAINED].names
        for name, baseline in baselines.items():
            count.begin(len(names) * len(measured) + len(names) * len(unavailable))
            try:
                baseline.begin_batch(inpainted)
                data = build_dataset(spec, baseline.io.inputs)
                measured[name] = _measure(
                    baseline.to(device), spec, data, inpainted, device, count, cache=cache
                )
            except SkinfwError as error:
                if name in required:
                    raise
                logger.warning("baseline %s is skipped: %s", name, error)
                unavailable[name] = str(error)
    return _evaluation(split, step, measured, unavailable)


class _Counter:
    """Counts inpainted images over all generators."""

    def __init__(self, total: int, progress: ProgressCallback | None) -> None:
        self.total = total
        self.done = 0
        self.progress = progress

    def begin(self, done: int) -> None:
        """Go to the start of a generator, even if the previous one skipped images."""
        self.done = done

    def add(self, images: int) -> None:
        """Count images and report progress."""
        self.done += images
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
    cache: SampleCache | None = None,
) -> _Measured:
    loader = Loader(
        dataset if cache is None else cache.reading(dataset),
        names,
        batch_size=spec.training.eval_batch_size,
        num_workers=spec.data.num_workers,
        device=device,
        skip_corrupt=skip_corrupt,
        shown=[SKIN] if SKIN in dataset.io.inputs else [],
    )
    metrics = MetricSet(spec)
    inpainted_names: list[str] = []
    tones: list[SkinTone | None] = []
    times: list[tuple[float, int]] = []
    violations = 0
    for inpainted in inpaint_batches(generator, spec, covered(loader, spec), device):
        batch = inpainted.batch
        # the written image, rounded to 8 bits, is evaluated
        images, alpha = inpainted.tensors()
        metrics.update(images.to(device), batch, None if alpha is None else alpha.to(device))
        tones += skin_tones(batch[BODY], batch[SKIN]) if with_tones else []
        violations += sum(inpainted.violations(index) for index in range(len(batch.names)))
        times.append((inpainted.seconds, len(batch.names)))
        inpainted_names += batch.names
        count.add(len(batch.names))
    if not inpainted_names:
        raise DataError(
            f"none of the {len(names)} samples to evaluate can be read; the warnings above say why"
        )
    if violations:
        logger.error("%d pixels outside the mask changed; this is a bug in skinfw", violations)
    # the first batch includes the warm-up
    counted = times[1:] or times
    total, images_timed = (sum(each) for each in zip(*counted, strict=True))
    seconds = total / images_timed if generator.timed else None
    return _Measured(inpainted_names, metrics, metrics.compute(), violations, seconds, tuple(tones))


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
        unavailable={**unavailable, **reasons},
        tones=measured[TRAINED].tones,
    )
