"""An ablation from its file to its tables, for ``skinfw ablate`` and `skinfw.ablate`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skinfw.ablation.engine import Engine, LocalEngine
from skinfw.ablation.plan import Plan, make_plan
from skinfw.ablation.results import AblationResult, collect
from skinfw.ablation.runner import Tell, check_folders, locked, run_missing
from skinfw.components.trust import announce_programs
from skinfw.system.bar import print_progress

logger = logging.getLogger("skinfw")


def ablate(
    file: str | Path | Mapping[str, Any],
    *,
    size: str | None = None,
    output: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    engine: Engine | None = None,
    overwrite: bool = False,
    tell: Tell | None = None,
    progress: bool = False,
) -> AblationResult:
    """Run the missing runs of an ablation and write its tables, plots and page.

    Finished runs are kept, unfinished ones are resumed, and a failure is reported in the result while the
    others continue. The tables include all existing runs, whatever was selected.

    Args:
        file: an ablation file, or its JSON value.
        size: one of the file's sizes; None for the file's default.
        output: output folder; None for ``runs/<name>`` or ``runs/<name>-<size>``.
        overrides: values of the base spec by dotted path, for example ``{"training.epochs": 2}``.
        only: variants to run; empty for all.
        seeds: seeds to run; empty for all.
        engine: executes the runs; None for one at a time on this machine.
        overwrite: repeat runs whose spec has changed.
        tell: called with a line at the start and the end of each run; None logs it.
        progress: print these lines on stderr, as the command does, instead of logging them.

    Returns:
        the results, and the outcome of each run.

    Raises:
        SpecError: the file or one of its variants has errors.
        RunError: a folder holds something else, is used by another ablation, or cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed; the same call continues.

    Example:
        >>> from skinfw.ablation.engine import LocalEngine
        >>> result = ablate("inputs.json", size="smoke", engine=LocalEngine(jobs=2))  # doctest: +SKIP
        >>> result.page_path  # doctest: +SKIP
        PosixPath('runs/inputs-smoke/ablation.html')
    """
    plan = make_plan(file, size=size, output=output, overrides=overrides)
    tell = tell or (print_progress if progress else logger.info)
    return run_plan(plan, engine or LocalEngine(), only=only, seeds=seeds, overwrite=overwrite, tell=tell)


def run_plan(
    plan: Plan,
    engine: Engine,
    *,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    overwrite: bool = False,
    tell: Tell = logger.info,
) -> AblationResult:
    """Run the missing runs of a plan, and write tables, plots and page; see `ablate` for the arguments."""
    chosen = plan.chosen(only, seeds)
    check_folders(chosen, overwrite=overwrite)
    # the runs themselves write to their logs
    announce_programs(*(run.spec for run in chosen))
    with locked(plan.output):
        run_missing(chosen, engine, tell, plan.commits)
        return report_plan(plan)


def report_plan(plan: Plan) -> AblationResult:
    """Write the tables, plots and page of a plan's existing runs without running anything.

    Raises:
        RunError: a file cannot be written.
    """
    from skinfw.ablation.page import write_ablation

    result = collect(plan)
    write_ablation(result)
    return result
