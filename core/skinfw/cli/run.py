"""``skinfw run``: from a spec to trained weights, metrics and a report."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="run", short_help="Train, evaluate and report the run that a spec describes.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="PATH=VALUE",
    help="Set one value of the spec, for instance training.epochs=2. May be repeated.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Run folder. Default: runs/NAME.")
@click.option("--resume", is_flag=True, help="Resume the run in the folder.")
@click.option("--overwrite", is_flag=True, help="Replace the run in the folder.")
def command(
    spec: Path, assignments: tuple[str, ...], output: Path | None, resume: bool, overwrite: bool
) -> None:
    """Train, evaluate and report the run that SPEC, a JSON file, describes.

    The run folder then holds the filled spec, the checkpoints, the log, metrics.json and report.html.
    """
    from skinfw.errors import UserError
    from skinfw.specs.overrides import parse_assignments
    from skinfw.specs.spec import load_spec

    if resume and overwrite:
        raise UserError("--resume continues a run, --overwrite replaces it; give only one of them")
    checked = load_spec(spec, parse_assignments(assignments))

    from skinfw.cli.print_evaluation import print_evaluation
    from skinfw.hooks.progress import RunProgress
    from skinfw.pipeline import run

    progress = RunProgress()
    done = run(checked, output=output, resume=resume, overwrite=overwrite, hooks=[progress])
    if progress.test is not None:
        print_evaluation(progress.test)
    if done.report_path.is_file():
        click.echo(f"Report: {done.report_path}")
