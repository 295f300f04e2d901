"""Measuring a generator and the baselines on the same samples, and a whole run with its report."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import torch

from skinfw.assemble import build_baselines, build_dataset
from skinfw.data.batch import picture_tensor
from skinfw.data.loading import Loader
from skinfw.devices import pick_device
from skinfw.errors import DataError, SkinfwError
from skinfw.evaluation.augmented import augmented_samples
from skinfw.evaluation.examples import paint_examples, save_examples
from skinfw.evaluation.figures import Figures
from skinfw.evaluation.record import metrics_record
from skinfw.evaluation.results import TRAINED, Evaluation, SkinTone
from skinfw.evaluation.segmentation import evaluate_segmentation
from skinfw.evaluation.skin_tone import skin_tones
from skinfw.evaluation.tone_groups import tones_json
from skinfw.inference.paint import ProgressCallback, paint_batches
from skinfw.interfaces import Dataset, Generator
from skinfw.jsonfile import write_json
from skinfw.leftovers import remove_leftovers
from skinfw.reporting.report import write_report
from skinfw.run_data import warn_of_changes
from skinfw.run_folder import Run, locked_run
from skinfw.run_split import split_of_run
from skinfw.segmentation_spec import SegmentationSpec
from skinfw.spec import Spec
from skinfw.training.checkpoints import Checkpoint, load_generator, refuse_untrusted, run_checkpoint
from skinfw.trust import connections

logger = logging.getLogger("skinfw")

_NO_BASELINES: Mapping[str, Generator[Any]] = MappingProxyType({})


@dataclass(frozen=True)
class _Measured:
    """What one painter came to."""

    names: list[str]
    figures: Figures
    values: dict[str, float | None]
    violations: int
    seconds_a_picture: float
    tones: tuple[SkinTone | None, ...]


def evaluate_generator(
    generator: Generator[Any],
    spec: Spec,
    dataset: Dataset[Any],
    names: Sequence[str],
    *,
    split: Literal["validation", "test"],
    step: int,
    device: torch.device,
    baselines: Mapping[str, Generator[Any]] = _NO_BASELINES,
    progress: ProgressCallback | None = None,
) -> Evaluation:
    """Paint samples and measure what came out, as it would be written to disk.

    The figures of a baseline are those of the very pictures that the generator painted; a baseline that
    cannot paint one of them has none. Random numbers of the caller are left as they were.

    Args:
        generator: the trained generator, on ``device``.
        spec: names the metrics, what is kept of a painted picture, and how samples are loaded.
        dataset: where samples come from, with the generator's inputs.
        names: which samples.
        split: what they are, for the record.
        step: training steps behind the weights.
        device: where to paint.
        baselines: generators to be measured beside it, by name.
        progress: is told how far it is.

    Raises:
        DataError: a sample cannot be read and the spec does not say to skip those, or none can be read.
    """
    count = _Counter(len(names) * (1 + len(baselines)), progress)
    cards = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(cards, device_type="cuda" if device.type == "cpu" else device.type):
        torch.manual_seed(spec.seed)
        skip = spec.data.on_corrupt == "skip"
        measured = {
            TRAINED: _measure(
                generator, spec, dataset, names, device, count,
                skip_corrupt=skip, with_tones=split == "test",
            )
        }  # fmt: skip
        unavailable: dict[str, str] = {}
        painted = measured[TRAINED].names
        for name, baseline in baselines.items():
            count.begin(len(names) * len(measured) + len(names) * len(unavailable))
            try:
                data = build_dataset(spec, baseline.io.inputs)
                measured[name] = _measure(baseline.to(device), spec, data, painted, device, count)
            except SkinfwError as error:
                logger.warning("baseline %s is left out: %s", name, error)
                unavailable[name] = str(error)
    return _evaluation(split, step, measured, unavailable)


class _Counter:
    """Counts painted pictures over all painters."""

    def __init__(self, total: int, progress: ProgressCallback | None) -> None:
        self.total = total
        self.done = 0
        self.progress = progress

    def begin(self, done: int) -> None:
        """Go to where a painter begins, whatever the one before left out."""
        self.done = done

    def add(self, pictures: int) -> None:
        """Count pictures, and tell."""
        self.done += pictures
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
) -> _Measured:
    loader = Loader(
        dataset,
        names,
        batch_size=spec.training.test_batch_size,
        workers=spec.data.workers,
        skip_corrupt=skip_corrupt,
    )
    figures = Figures(spec)
    painted_names: list[str] = []
    tones: list[SkinTone | None] = []
    times: list[tuple[float, int]] = []
    violations = 0
    for painted in paint_batches(generator, spec, loader, device):
        batch = painted.batch
        # what is measured is the written picture, rounded to 8 bits
        figures.update(picture_tensor(list(painted.pictures)).to(device), batch.target, batch.skin)
        tones += skin_tones(batch.target, batch.skin) if with_tones else []
        violations += sum(painted.violations(index) for index in range(len(batch.names)))
        times.append((painted.seconds, len(batch.names)))
        painted_names += batch.names
        count.add(len(batch.names))
    if not painted_names:
        raise DataError(
            f"none of the {len(names)} samples to be measured can be read; the warnings above say why"
        )
    if violations:
        logger.error("%d pixels outside the painted region changed; this is a fault of skinfw", violations)
    # the first batch pays for warming up
    counted = times[1:] or times
    seconds = sum(each for each, _ in counted) / sum(pictures for _, pictures in counted)
    return _Measured(painted_names, figures, figures.compute(), violations, seconds, tuple(tones))


def _evaluation(
    split: Literal["validation", "test"],
    step: int,
    measured: Mapping[str, _Measured],
    unavailable: Mapping[str, str],
) -> Evaluation:
    reasons = {
        f"{painter}/{key}": reason
        for painter, each in measured.items()
        for key, reason in each.figures.unavailable.items()
    }
    return Evaluation(
        split=split,
        step=step,
        names=measured[TRAINED].names,
        metrics=measured[TRAINED].figures.info,
        values={painter: each.values for painter, each in measured.items()},
        per_picture={painter: each.figures.per_picture for painter, each in measured.items()},
        violations={painter: each.violations for painter, each in measured.items()},
        seconds_a_picture={painter: each.seconds_a_picture for painter, each in measured.items()},
        unavailable={**unavailable, **reasons},
        tones=measured[TRAINED].tones,
    )


def evaluate_run(
    run: Run,
    *,
    which: Literal["best", "last"] = "best",
    device: torch.device | None = None,
    progress: ProgressCallback | None = None,
) -> Evaluation:
    """Measure a run's checkpoint on the test samples; write ``metrics.json`` and ``report.html``.

    Everything is read from the checkpoint: nothing of the training command needs to be said again. Other
    processes are kept out of the run folder meanwhile.

    Args:
        run: the run.
        which: the best or the last checkpoint.
        device: where to paint; None for what the spec says.
        progress: is told how far it is.

    Raises:
        RunError: there is no readable checkpoint, a plugin it needs is missing, another process is at work in
            the run folder, or it cannot be written to.
        TrustError: somebody else trained the run, and its spec names programs, paths or addresses.
        DataError: the data cannot be read.
    """
    checkpoint = run_checkpoint(run, which)
    refuse_untrusted(checkpoint)
    # check where the run comes from before writing: links in its folder may lead anywhere
    with _held(run) as held, connections(checkpoint.trusted):
        return _evaluate_checkpoint(held, checkpoint, which, device, progress)


@contextmanager
def _held(run: Run) -> Iterator[Run]:
    if run.lock is not None:  # its training goes over into this
        yield run
        return
    with locked_run(run) as held:
        remove_leftovers(held.folder, deep=True)
        yield held


def _evaluate_checkpoint(
    run: Run,
    checkpoint: Checkpoint,
    which: Literal["best", "last"],
    device: torch.device | None,
    progress: ProgressCallback | None,
) -> Evaluation:
    device = device or pick_device(checkpoint.spec.training.device)
    if isinstance(checkpoint.spec, SegmentationSpec):
        return evaluate_segmentation(run, checkpoint, device, progress)
    spec = checkpoint.spec
    generator = load_generator(checkpoint, device)
    baselines = build_baselines(spec)
    dataset = build_dataset(spec)
    fingerprint = dataset.fingerprint()
    if fingerprint != checkpoint.progress.data:
        warn_of_changes(run, dataset)
    split = split_of_run(run, dataset)
    evaluation = evaluate_generator(
        generator,
        spec,
        dataset,
        split.test,
        split="test",
        step=checkpoint.progress.step,
        device=device,
        baselines=baselines,
        progress=progress,
    )
    run.check_held()
    record = metrics_record(run, checkpoint, fingerprint, evaluation, skin_tones=tones_json(evaluation))
    write_json(run.metrics_path, record)
    usable = {name: each for name, each in baselines.items() if name not in evaluation.unavailable}
    examples = paint_examples(generator, usable, spec, dataset, evaluation, device)
    save_examples(examples, run.test_samples_folder)
    write_report(run, checkpoint, evaluation, examples, augmented_samples(spec, split.train))
    return evaluation
