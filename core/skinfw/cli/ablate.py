"""``skinfw ablate``: run and compare variants of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.ablation.ablate import report_plan, run_plan
from skinfw.ablation.engine import Engine, LocalEngine
from skinfw.ablation.plan import Plan, make_plan
from skinfw.ablation.results import AblationResult
from skinfw.errors import UserError
from skinfw.specs.overrides import parse_assignments
from skinfw.system.bar import print_progress


@click.command(name="ablate", short_help="Run variants of a spec and compare them.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--size", help="One of the file's sizes. Default: the one that the file chooses.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder. Default: runs/NAME or runs/NAME-SIZE."
)
@click.option(
    "--set", "assignments", multiple=True, metavar="PATH=VALUE",
    help="Set one value of the base spec before applying the variants' patches. May be repeated.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="VARIANT", help="Run this variant only. May be repeated.")
@click.option("--seeds", metavar="N,N", help="Run these seeds only.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True,
    help="Parallel runs on this machine; each needs its own memory.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1),
    help="CPU threads per run, unless its spec sets them. Default: cores divided by --jobs; 1 on Ray.",
)  # fmt: skip
@click.option(
    "--engine", "engine_name", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="Where to run: on this machine, or on a Ray cluster whose nodes share the folders.",
)  # fmt: skip
@click.option("--address", help="The Ray cluster. Default: the one that Ray finds, or one on this machine.")
@click.option(
    "--gpus", type=click.FloatRange(min=0), default=0.0, show_default=True,
    help="GPUs per run on a Ray cluster.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Redo the runs whose spec has changed.")
@click.option("--dry-run", is_flag=True, help="List the runs and what their folders hold; run nothing.")
@click.option("--report-only", is_flag=True, help="Write the tables from finished runs; run nothing.")
def command(
    file: Path,
    size: str | None,
    output: Path | None,
    assignments: tuple[str, ...],
    only: tuple[str, ...],
    seeds: str | None,
    jobs: int,
    threads: int | None,
    engine_name: Literal["local", "ray"],
    address: str | None,
    gpus: float,
    overwrite: bool,
    dry_run: bool,
    report_only: bool,
) -> None:
    """Run the variants that FILE describes with all their seeds, and compare their metrics.

    Finished runs are kept, interrupted ones resume, and a failed run does not stop the others. The output
    folder then holds a run folder for each variant and seed, table.csv, table.md, table.tex, ablation.json,
    two plots and ablation.html.
    """
    if dry_run and report_only:
        raise UserError("--dry-run writes nothing, --report-only writes tables; give only one of them")
    if engine_name == "local" and (address is not None or gpus):
        raise UserError("--address and --gpus need --engine ray; add it or drop them")
    if engine_name == "ray" and jobs != 1:
        raise UserError("--jobs needs --engine local: on Ray the cluster decides how many runs fit")
    numbers = _numbers(seeds)
    plan = make_plan(file, size=size, output=output, overrides=parse_assignments(assignments))
    if dry_run:
        _list(plan, only, numbers)
        return
    if report_only:
        _show(report_plan(plan))
        return
    engine = _engine(engine_name, jobs, threads, address, gpus)
    try:
        result = run_plan(
            plan,
            engine,
            only=only,
            seeds=numbers,
            overwrite=overwrite,
            tell=print_progress,
        )
    finally:
        engine.close()
    _show(result)
    chosen = plan.chosen(only, numbers)
    failed = [run for run in result.failures if run.planned in chosen]
    for run in failed:
        click.echo(f"Failed: {run.planned.label}: {run.reason}", err=True)
    if failed:
        click.get_current_context().exit(1)


def _numbers(text: str | None) -> tuple[int, ...]:
    try:
        return () if text is None else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--seeds {text}: expected integers separated by commas, like 0,1,2") from None


def _engine(name: str, jobs: int, threads: int | None, address: str | None, gpus: float) -> Engine:
    if name == "local":
        return LocalEngine(jobs, threads)
    from skinfw.ablation.ray_engine import RayEngine

    return RayEngine(address, threads, gpus)


def _list(plan: Plan, only: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    from skinfw.cli.width import aligned, output_width

    rows: list[tuple[str, ...]] = [("variant", "seed", "state", "folder")]
    for run in plan.chosen(only, seeds):
        state, why = run.state()
        described = f"{state}: {why}" if why else str(state)
        rows.append((run.variant, str(run.seed), described, str(run.folder)))
    for line in aligned(rows, output_width()):
        click.echo(line)


def _show(result: AblationResult) -> None:
    from skinfw.ablation.tables import differences_table, metrics_table, summary
    from skinfw.reporting.console import print_table

    print_table(metrics_table(result))
    differences = differences_table(result)
    if differences is not None:
        best = "better at both ends of the interval"
        print_table(differences, title="Difference per image [95 % interval], two-sided p", best=best)
    click.echo(summary(result))
    for warning in result.warnings():
        click.echo(f"Warning: {warning}.", err=True)
    click.echo(f"Page: {result.page_path}")
