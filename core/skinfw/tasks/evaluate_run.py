"""Evaluating a run of any task, on its own data or on others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

import torch

from skinfw.assembly.assemble import build_dataset
from skinfw.components.reference import ComponentLike, read_component
from skinfw.components.trust import connections
from skinfw.data.sample_cache import SampleCache
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.together import ALONE, Together
from skinfw.inference.paint import ProgressCallback
from skinfw.interfaces import Dataset
from skinfw.models.hub import reject_downloaded
from skinfw.runs.checkpoints import reject_untrusted, run_checkpoint
from skinfw.runs.evaluation_folder import default_output, evaluation_folder
from skinfw.runs.folder import Run, locked_run
from skinfw.runs.result_folder import ResultFolder
from skinfw.specs.pinning import pinned_component
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec
from skinfw.system.devices import pick_device
from skinfw.system.leftovers import remove_leftovers
from skinfw.tasks.inpainting.evaluate_inpainting import evaluate_inpainting, help_inpainting
from skinfw.tasks.measured import Measured, MeasuredSplit, SharedTest, measured
from skinfw.tasks.more_baselines import add_baselines
from skinfw.tasks.other_data import GivenData, other_data
from skinfw.tasks.segmentation.evaluate_segmentation import evaluate_segmentation, help_segmentation
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw.training.module import SampleSource


@dataclass(frozen=True)
class Evaluated:
    """A finished evaluation.

    Attributes:
        evaluation: the results.
        report_path: the report.
    """

    evaluation: Evaluation
    report_path: Path


def evaluate_run(
    run: Run,
    *,
    which: Literal["best", "last"] = "best",
    device: torch.device | None = None,
    progress: ProgressCallback | None = None,
    together: Together = ALONE,
) -> Evaluation:
    """Evaluate a run's checkpoint on the test samples; write ``metrics.json`` and ``report.html``.

    Everything is read from the checkpoint, so no training options are needed. The run folder is locked
    meanwhile.

    Args:
        run: the run.
        which: the best or the last checkpoint.
        device: the device; None for that of the spec.
        progress: called with the number of finished samples and the total.
        together: the processes that train the run; the others call `help_evaluation`.

    Raises:
        RunError: the run has no readable checkpoint, a plugin it needs is missing, another process uses the
            run folder, or the folder cannot be written to.
        TrustError: someone else trained the run, and its spec contains programs, paths or addresses.
        DataError: the data cannot be read.
    """
    return evaluate_on(run, which=which, device=device, progress=progress, together=together).evaluation


def help_evaluation(cache: SampleCache, device: torch.device, together: Together) -> None:
    """Measure a part of a run's test samples, while the first of its processes calls `evaluate_run`.

    Args:
        cache: caches decoded samples of the run's data.
        device: the device.
        together: the processes that train the run.

    Raises:
        SkinfwError: the samples cannot be measured, here or in another process.
    """
    shared = together.from_first(cast("SharedTest", None))
    source = _source(shared.checkpoint.spec)
    if isinstance(source, LabeledPhotos):
        help_segmentation(shared, source, cache, device, together)
    elif isinstance(source, Dataset):
        help_inpainting(shared, source, cache, device, together)


def evaluate_on(
    run: Run,
    data: GivenData | None = None,
    *,
    which: Literal["best", "last"] = "best",
    split: MeasuredSplit | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    baselines: Sequence[ComponentLike] = (),
    device: torch.device | None = None,
    progress: ProgressCallback | None = None,
    together: Together = ALONE,
) -> Evaluated:
    """Evaluate a run's checkpoint on any data.

    If the data have the content of the run's own, wherever they are, its own test samples are measured and
    its ``metrics.json`` and ``report.html`` are written. Results on anything else go to a folder of their
    own. A warning names measured samples that the run was trained or validated on.

    Args:
        run: the run.
        data: the data, see `skinfw.tasks.other_data.other_data`; None for those in the spec.
        which: the best or the last checkpoint.
        split: ``test`` or ``all`` samples; None: all, and of the run's own data the test samples.
        output: folder for the results; None for the run folder, or ``evaluations/<name>`` in it.
        overwrite: replace results in that folder; those of the run itself are always replaced.
        baselines: generators with nothing to train, measured beside the baselines of the spec; unlike those,
            they must inpaint all samples.
        device: the device; None for that of the spec.
        progress: called with the number of finished samples and the total.
        together: as for `evaluate_run`.

    Raises:
        SkinfwError: as `evaluate_run`, the folder for the results is taken, or a baseline does not fit.
    """
    if output is None:
        reject_downloaded(run.folder)
    checkpoint = run_checkpoint(run, which)
    given = None if data is None else other_data(checkpoint.spec, data)
    if given is not None:
        checkpoint = replace(checkpoint, spec=given.spec)
    added = [pinned_component(read_component("generator", each)) for each in baselines]
    spec, named = add_baselines(checkpoint.spec, added)
    checkpoint = replace(checkpoint, spec=spec)
    reject_untrusted(checkpoint, named if given is None else (*given.given, *named))
    device = device or pick_device(checkpoint.spec.training.device)
    # check where the run comes from before writing: links in its folder may lead anywhere
    with connections(checkpoint.trusted):
        if given is None and split in (None, "test") and output is None:
            with _held(run) as held:
                found = measured(held, checkpoint, _source(checkpoint.spec), None, "test")
                found = replace(found, added_baselines=len(baselines))
                return _evaluated(found, held, device, progress, together)
        found = measured(run, checkpoint, _source(checkpoint.spec), given, split)
        found = replace(found, added_baselines=len(baselines))
        with _results(found, output, overwrite=overwrite) as results:
            return _evaluated(found, results, device, progress, together)


def _source(spec: AnySpec) -> SampleSource:
    return LabeledPhotos(spec.data) if isinstance(spec, SegmentationSpec) else build_dataset(spec)


def _evaluated(
    found: Measured,
    results: ResultFolder,
    device: torch.device,
    progress: ProgressCallback | None,
    together: Together,
) -> Evaluated:
    segments = isinstance(found.checkpoint.spec, SegmentationSpec)
    task = evaluate_segmentation if segments else evaluate_inpainting
    return Evaluated(task(found, results, device, progress, together), results.report_path)


@contextmanager
def _results(found: Measured, output: str | Path | None, *, overwrite: bool) -> Iterator[ResultFolder]:
    """Lock the folder for the results: the run folder for its own test samples, or one of their own."""
    if found.is_own_test and output is None:
        with _held(found.run) as held:
            yield held
        return
    if output is None:
        name = "own_data" if found.other is None else found.other.name
        output = default_output(found.run, f"{name}-test" if found.split == "test" else name)
    with evaluation_folder(Path(output), overwrite=overwrite) as results:
        yield results


@contextmanager
def _held(run: Run) -> Iterator[Run]:
    if run.lock is not None:  # it is still locked by its training
        yield run
        return
    with locked_run(run) as held:
        remove_leftovers(held.folder, deep=True)
        yield held
