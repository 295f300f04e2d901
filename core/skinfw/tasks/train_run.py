"""Training a run in its folder: data, split, networks, records, training, evaluation, report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from accelerate import Accelerator

from skinfw.data.split import Split
from skinfw.hooks.caller import HookCaller
from skinfw.hooks.progress import RunProgress
from skinfw.interfaces import Dataset
from skinfw.runs.create import check_folder, create_run, record_environment, recorded_commits
from skinfw.runs.data_record import write_data
from skinfw.runs.folder import Run, locked_run
from skinfw.runs.split_record import make_split, read_split, write_split
from skinfw.specs.pinning import pinned_spec, used_commits
from skinfw.specs.spec import AnySpec
from skinfw.system.devices import cpu_threads, cuda_arithmetic
from skinfw.system.memory import keep_freed_memory
from skinfw.tasks.choice import make_source, make_training_module
from skinfw.tasks.evaluate_run import evaluate_run, help_evaluation
from skinfw.tasks.inpainting.skin_check import require_skin
from skinfw.training.accelerator import make_accelerator, training_environment
from skinfw.training.module import SampleSource
from skinfw.training.observers import RunRecorder
from skinfw.training.ranks import Ranks
from skinfw.training.trainer import Trainer


def train_run(
    run: Run, *, resume: bool = False, overwrite: bool = False, hooks: Sequence[object] = (), progress: bool
) -> Run:
    """Train a run to the end, evaluate it on the test samples and write the report.

    All processes of a run call this with the same arguments; the folder is locked meanwhile.

    Args:
        run: the run; its folder is created.
        resume: resume the run in the folder.
        overwrite: replace the run in the folder.
        hooks: objects with hook functions, called beside the installed ones.
        progress: show a bar.

    Returns:
        the run, whose spec names models on a hub by their commits.

    Raises:
        SkinfwError: an error in the data, the networks or the folder.
        KeyboardInterrupt: Ctrl-C was pressed; everything is saved.
    """
    keep_freed_memory()
    with cpu_threads(run.spec.training.threads):
        accelerator = make_accelerator(run.spec.training)
        ranks = Ranks(accelerator)
        shown: list[object] = [RunProgress()] if progress else []
        with ranks.together(), locked_run(run) if ranks.is_main else nullcontext(run) as held:
            trained = _fill(held, accelerator, ranks, [*shown, *hooks], resume=resume, overwrite=overwrite)
            held.check_held()
    return trained


def _fill(
    run: Run,
    accelerator: Accelerator,
    ranks: Ranks,
    observers: Sequence[object],
    *,
    resume: bool,
    overwrite: bool,
) -> Run:
    if ranks.is_main:  # before anything takes long
        check_folder(run, resume=resume, overwrite=overwrite)
    given = run.spec
    run = replace(run, spec=_pinned(run, ranks, resume=resume))
    dataset = make_source(run.spec)
    split = _split(run, dataset, resume=resume)
    if isinstance(dataset, Dataset):
        require_skin(dataset, split.train)
    if ranks.is_main:
        hooks = HookCaller([RunRecorder(), *observers])
        commits = used_commits(given, run.spec)
        create_run(run.spec, run.folder, resume=resume, overwrite=overwrite, commits=commits)
        write_split(run, split)
    else:
        hooks = HookCaller(discover=False)
    ranks.wait()
    try:
        module = make_training_module(run.spec, dataset, accelerator)
        trainer = Trainer(run, dataset, split, module, hooks, ranks)
        if resume:
            trainer.resume()
        training = run.spec.training
        if ranks.is_main:
            write_data(run, dataset)
            if trainer.step < trainer.total_steps:
                used = training_environment(accelerator, training)
                record_environment(run, trainer.step, hook_plugins=hooks.versions(), training=used)
        with cuda_arithmetic(accelerator.device, tf32=training.tf32, benchmark=training.cudnn_benchmark):
            trainer.fit()
        if ranks.is_main:
            evaluation = evaluate_run(run, device=accelerator.device, together=ranks)
            hooks.call("evaluated", run=run, evaluation=evaluation, step=evaluation.step)
        else:
            help_evaluation(module.cache, accelerator.device, ranks)
        ranks.wait()
    except BaseException as error:
        hooks.call("run_failed", run=run, error=error)
        raise
    hooks.call("run_ended", run=run)
    return run


def _pinned(run: Run, ranks: Ranks, *, resume: bool) -> AnySpec:
    """Return the spec that names models on a hub by their commits, the same in all processes."""
    spec = run.spec
    if ranks.is_main:
        spec = pinned_spec(spec, recorded_commits(run) if resume else {})
    return ranks.from_first(spec)


def _split(run: Run, dataset: SampleSource, *, resume: bool) -> Split:
    """Return the split: the recorded one if training resumes, a new one otherwise."""
    goes_on = resume and run.checkpoint("last").is_file()
    recorded = read_split(run.folder) if goes_on else None
    return make_split(dataset, run.spec.data) if recorded is None else recorded
