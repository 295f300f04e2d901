"""An ablation from its file to its tables: what ``skinfw ablate`` and `skinfw.ablate` do."""

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
) -> AblationResult:
    """Run what is missing of an ablation and write its tables, plots and page.

    Runs that are done are kept, half-done ones go on, and one that fails is reported in the result
    while the others go on. The tables hold all that is there, whatever was chosen to run.

    Args:
        file: an ablation file, or its JSON value.
        size: one of the file's sizes; None takes the file's own choice.
        output: folder of everything; ``runs/<name>`` or ``runs/<name>-<size>`` when None.
        overrides: values of the base spec by dotted path, for instance ``{"training.epochs": 2}``.
        only: variants to run; all when empty.
        seeds: seeds to run; all when empty.
        engine: where runs are made; one at a time on this machine when None.
        overwrite: repeat runs whose spec has changed.
        tell: is given a line at the start and the end of each run; None logs it.

    Returns:
        the figures, and what became of each run.

    Raises:
        SpecError: the file or one of its variants has faults.
        RunError: a folder holds something else, another ablation is at work there, or it cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed; the same call goes on.

    Example:
        >>> from skinfw.ablation.engine import LocalEngine
        >>> result = ablate("inputs.json", size="smoke", engine=LocalEngine(jobs=2))  # doctest: +SKIP
        >>> result.page_path  # doctest: +SKIP
        PosixPath('runs/inputs-smoke/ablation.html')
    """
    plan = make_plan(file, size=size, output=output, overrides=overrides)
    return run_plan(
        plan, engine or LocalEngine(), only=only, seeds=seeds, overwrite=overwrite, tell=tell or logger.info
    )


def run_plan(
    plan: Plan,
    engine: Engine,
    *,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    overwrite: bool = False,
    tell: Tell = logger.info,
) -> AblationResult:
    """Run what is missing of a plan, and write tables, plots and page; see `ablate` for the arguments."""
    chosen = plan.chosen(only, seeds)
    check_folders(chosen, overwrite=overwrite)
    # the runs themselves write to their logs
    announce_programs(*(run.spec for run in chosen))
    with locked(plan.output):
        run_missing(chosen, engine, tell)
        return report_plan(plan)


def report_plan(plan: Plan) -> AblationResult:
    """Write the tables, plots and the page of what is there of a plan, and run nothing.

    Raises:
        RunError: a file cannot be written.
    """
    from skinfw.ablation.page import write_ablation

    result = collect(plan)
    write_ablation(result)
    return result
