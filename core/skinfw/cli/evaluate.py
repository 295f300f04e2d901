"""``skinfw evaluate``: evaluate a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import trust_option


@click.command(name="evaluate", short_help="Evaluate a finished run again.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint", type=click.Choice(["best", "last"]), default="best", show_default=True,
    help="Which weights to evaluate.",
)  # fmt: skip
@click.option(
    "--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True,
    help="auto uses an accelerator if there is one.",
)  # fmt: skip
@trust_option
def command(
    run: Path, checkpoint: Literal["best", "last"], device: Literal["auto", "cpu"], trust: bool
) -> None:
    """Evaluate the weights of RUN, a run folder, and the baselines on the test samples.

    Writes metrics.json and report.html again. Everything needed is in the checkpoint.
    """
    from skinfw.cli.bar import progress_bar
    from skinfw.cli.print_evaluation import print_evaluation
    from skinfw.runs.trained import open_trained
    from skinfw.system.devices import pick_device
    from skinfw.tasks.evaluate_run import evaluate_run

    opened = open_trained(run, checkpoint, trust=trust)
    with progress_bar("evaluate") as progress:
        evaluation = evaluate_run(opened, which=checkpoint, device=pick_device(device), progress=progress)
    print_evaluation(evaluation)
    click.echo(f"Report: {opened.report_path}")
