"""``skinfw export-benchmark``: write a split's inputs and masks for other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import trust_option


@click.command(name="export-benchmark", short_help="Write a split's inputs and masks for other systems.")
@click.argument("source", metavar="RUN|SPEC", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), default="test", show_default=True,
    help="Side of the split.",
)  # fmt: skip
@click.option(
    "--height", type=click.IntRange(8, 4096),
    help="Height in pixels, in the aspect ratio of training. Default: the size of training.",
)  # fmt: skip
@click.option("--targets", is_flag=True, help="Write the true images too, into OUTPUT/body.")
@trust_option
def command(
    source: Path,
    output: Path,
    split: Literal["test", "validation", "train"],
    height: int | None,
    targets: bool,
    trust: bool,
) -> None:
    """Write the samples that RUN is tested on, or those of SPEC, as plain images.

    Each input is a folder of OUTPUT with NAME.png for each sample. benchmark.json names, under mask, the
    folder that is white where a system must paint: mask, or composite_mask if the network sees another mask.
    Let a system write its results as NAME.png into one folder; then
    skinfw evaluate RUN --baseline '{"type": "images", "folder": ...}' measures them beside the run.
    """
    from skinfw.errors import counted
    from skinfw.system.bar import progress_bar
    from skinfw.tasks.inpainting.write_benchmark import write_benchmark

    with progress_bar("export") as progress:
        done = write_benchmark(
            source, output, split=split, height=height, targets=targets, trust=trust, progress=progress
        )
    click.echo(f"{counted(len(done.names), 'sample')} in {output}: {', '.join(done.folders)}")
