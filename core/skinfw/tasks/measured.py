"""What an evaluation of a run measures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from skinfw.errors import counted
from skinfw.evaluation.examples import MOST
from skinfw.evaluation.record import metrics_record
from skinfw.evaluation.results import Evaluation
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.data_record import current_fingerprint
from skinfw.runs.folder import Run
from skinfw.runs.ledger import ledger_of_run
from skinfw.runs.result_folder import ResultFolder
from skinfw.runs.seen import Seen, seen_samples
from skinfw.runs.split_record import make_split, split_of_run
from skinfw.system.json_file import write_json
from skinfw.tasks.other_data import OtherData
from skinfw.training.module import SampleSource

MeasuredSplit = Literal["test", "all"]

logger = logging.getLogger("skinfw")


class Steps:
    """The progress of an evaluation: first its measurements, then the images of its report."""

    def __init__(self, progress: Callable[[int, int], None] | None, images: int) -> None:
        """Count the measurements and at most ``images`` images for the report."""
        self._progress = progress
        self._images = min(images, MOST)
        self._measured = 0

    def evaluated(self, done: int, total: int) -> None:
        """Report finished measurements."""
        self._measured = total
        if self._progress is not None:
            self._progress(done, total + self._images)

    def shown(self, done: int) -> None:
        """Report finished images of the report."""
        if self._progress is not None:
            self._progress(self._measured + done, self._measured + self._images)


@dataclass(frozen=True)
class SharedTest:
    """What the other processes of a run need to measure a part of its test samples.

    Attributes:
        checkpoint: the measured weights.
        names: all samples to measure.
    """

    checkpoint: Checkpoint
    names: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """The samples of an evaluation.

    Attributes:
        run: the run.
        checkpoint: the measured weights; its spec has the measured data.
        source: the source of the samples.
        fingerprint: of the source.
        split: whether the test samples of a split or all samples are measured.
        names: the samples.
        train: the run's training samples; empty if the data are not the run's.
        other: the data that the user gave, unless they are the run's own.
        seen: samples that the run was trained or validated on; None if that is unknown.
        added_baselines: the number of baselines, the last ones, that the user added to those of the run.
    """

    run: Run
    checkpoint: Checkpoint
    source: Any
    fingerprint: str
    split: MeasuredSplit
    names: Sequence[str]
    train: Sequence[str]
    other: OtherData | None
    seen: Seen | None
    added_baselines: int = 0

    @property
    def is_own_test(self) -> bool:
        """Whether it measures the run's own test samples."""
        return self.other is None and self.split == "test"

    @property
    def warning(self) -> str:
        """What limits the results, or an empty text."""
        if self.seen is None:
            return f"{self.run.folder}: has no split.json, so it is unknown which samples it was trained on"
        return self.seen.warning(len(self.names))

    @property
    def shared(self) -> SharedTest:
        """What the other processes of the run need to know."""
        return SharedTest(self.checkpoint, self.names)

    def labeled(self, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation that says which data it measured."""
        return replace(evaluation, source=self.other.label if self.other else "")

    def write_metrics(self, results: ResultFolder, evaluation: Evaluation, **more: Any) -> None:
        """Write ``metrics.json``.

        Args:
            results: where the file goes.
            evaluation: the results.
            **more: what the task adds to the record.

        Raises:
            RunError: the folder was removed or replaced, or the file cannot be written.
        """
        results.check_held()
        about = {**more, **self._about(results)}
        about["licenses"] = ledger_of_run(self.run, self.checkpoint).to_json()
        record = metrics_record(self.run, self.checkpoint, self.fingerprint, evaluation, **about)
        write_json(results.metrics_path, record)

    def _about(self, results: ResultFolder) -> dict[str, Any]:
        """Return what results say about the data; nothing in the run folder, which holds its own ones."""
        if isinstance(results, Run):
            return {}
        return {
            "measured_on": {
                "data": "the data of the run" if self.other is None else self.other.label,
                "samples": self.split,
                "seen": None if self.seen is None else self.seen.to_json(),
            },
            "spec": self.checkpoint.spec.to_json(),
        }


def measured(
    run: Run,
    checkpoint: Checkpoint,
    source: SampleSource,
    given: OtherData | None,
    split: MeasuredSplit | None,
) -> Measured:
    """Choose the samples of an evaluation, and say which case applies.

    Args:
        run: the run.
        checkpoint: the measured weights; its spec has the measured data.
        source: the source of the samples.
        given: the data that the user gave; None for those in the run's spec. They are the run's own if they
            have the same content.
        split: what to measure; None: the run's test samples, or all samples of other data.

    Raises:
        DataError: the data cannot be read, or have no test samples.
    """
    if given is None:
        fingerprint, other = current_fingerprint(run, source, checkpoint.progress.data), None
    else:
        fingerprint = source.fingerprint()
        other = None if fingerprint == checkpoint.progress.data else given
    chosen: MeasuredSplit = split or ("test" if other is None else "all")
    if other is None:
        parts = split_of_run(run, source)
        names, train = (parts.test if chosen == "test" else source.names()), parts.train
    else:
        ours = checkpoint.spec.data.model_copy(update={"split": None})  # its file names samples of the run
        names = source.names() if chosen == "all" else make_split(source, ours).test
        train = ()
    own_test = other is None and chosen == "test"
    seen = Seen((), ()) if own_test else seen_samples(run, source, names)
    found = Measured(run, checkpoint, source, fingerprint, chosen, names, train, other, seen)
    if given is not None:
        logger.info("%s", _case(found, given))
    if found.warning:
        logger.warning("%s", found.warning)
    return found


def _case(found: Measured, given: OtherData) -> str:
    count = counted(len(found.names), "sample")
    if found.other is None:
        what = f"the {count} of its own test split" if found.split == "test" else f"all {count}"
        return f"{given.label}: the data of {found.run.folder}, with the same content; measuring {what}"
    what = f"all {count}" if found.split == "all" else f"{count}, the test side of a split"
    return f"{given.label}: other data than those of {found.run.folder}; measuring {what}"
