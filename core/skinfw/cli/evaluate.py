"""``skinfw evaluate``: measure a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import trust_option


@click.command(name="evaluate", short_help="Measure a finished run again.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint", type=click.Choice(["best", "last"]), default="best", show_default=True,
    help="Which weights to measure.",
)  # fmt: skip
@click.option(
    "--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True,
    help="auto takes an accelerator where there is one.",
)  # fmt: skip
@trust_option
def command(
    run: Path, checkpoint: Literal["best", "last"], device: Literal["auto", "cpu"], trust: bool
) -> None:
    """Measure the test samples with the weights of RUN, a run folder, beside the baselines.

    Writes metrics.json and report.html again. Everything needed is in the checkpoint.
    """
    from skinfw.cli.bar import progress_bar
    from skinfw.cli.print_evaluation import print_evaluation
    from skinfw.evaluation.trained import open_trained
    from skinfw.system.devices import pick_device
    from skinfw.tasks.evaluate_run import evaluate_run

    opened = open_trained(run, checkpoint, trust=trust)
    with progress_bar("evaluate") as progress:
        evaluation = evaluate_run(opened, which=checkpoint, device=pick_device(device), progress=progress)
    print_evaluation(evaluation)
    click.echo(f"Report: {opened.report_path}")
