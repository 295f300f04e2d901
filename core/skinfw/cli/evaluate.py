"""``skinfw evaluate``: evaluate a finished run again, on its own data or on others."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import checkpoint_option, device_option, trust_option


@click.command(name="evaluate", short_help="Evaluate a finished run again, or on other data.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--data", metavar="PLACE|JSON",
    help="Measure these data instead: a folder of samples or photos, a JSON file with a data set as in a "
    "spec, or its JSON. Data that moved are recognized.",
)  # fmt: skip
@click.option(
    "--split", type=click.Choice(["test", "all"]),
    help="Which samples. Default: all with --data; of the run's own data the test samples.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path),
    help="Folder for the results. Default: RUN/evaluations/NAME; RUN itself for its own test samples.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the results in the folder.")
@click.option(
    "--baseline", "baselines", multiple=True, metavar="NAME|JSON",
    help="A generator with nothing to train, measured beside the baselines of the spec: a name, or JSON like "
    '{"type": "images", "folder": "results", "label": "other"}. May be repeated.',
)  # fmt: skip
@checkpoint_option
@device_option
@trust_option
def command(
    run: Path,
    data: str | None,
    split: Literal["test", "all"] | None,
    output: Path | None,
    overwrite: bool,
    baselines: tuple[str, ...],
    checkpoint: Literal["best", "last"],
    device: Literal["auto", "cpu"],
    trust: bool,
) -> None:
    """Evaluate the weights of RUN, a run folder, and the baselines on the test samples.

    Writes metrics.json and report.html again. Everything needed is in the checkpoint. Results on other data
    go to a folder of their own; a warning names samples that RUN was trained on.
    """
    from skinfw.cli.components import component_option
    from skinfw.cli.print_evaluation import print_evaluation
    from skinfw.runs.trained import open_trained
    from skinfw.system.bar import progress_bar
    from skinfw.system.devices import pick_device
    from skinfw.tasks.evaluate_run import evaluate_on

    opened = open_trained(run, checkpoint, trust=trust)
    with progress_bar("evaluate") as progress:
        done = evaluate_on(
            opened,
            data,
            which=checkpoint,
            split=split,
            output=output,
            overwrite=overwrite,
            baselines=[component_option("generator", each, "--baseline") for each in baselines],
            device=pick_device(device),
            progress=progress,
        )
    print_evaluation(done.evaluation)
    click.echo(f"Report: {done.report_path}")
