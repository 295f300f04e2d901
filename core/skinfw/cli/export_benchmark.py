"""``skinfw export-benchmark``: write a split's inputs and masks for other systems."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import trust_option


@click.command(name="export-benchmark", short_help="Write a split's inputs and masks for other systems.")
@click.argument("source", metavar="RUN|SPEC", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), default="test", show_default=True,
    help="Which samples.",
)  # fmt: skip
@click.option("--size", metavar="HEIGHTxWIDTH", help="Size in pixels. Default: that of training.")
@click.option("--targets", is_flag=True, help="Write the true images too, into OUTPUT/body.")
@trust_option
def command(
    source: Path,
    output: Path,
    split: Literal["test", "validation", "train"],
    size: str | None,
    targets: bool,
    trust: bool,
) -> None:
    """Write the samples that RUN is tested on, or those of SPEC, as plain images.

    Each input is a folder of OUTPUT with NAME.png for each sample; mask is white where a system must paint.
    Let any system write its results as NAME.png into one folder; then
    skinfw evaluate RUN --baseline '{"type": "images", "folder": ...}' measures them beside the run.
    """
    from skinfw.errors import UserError

    sides = None
    if size is not None:
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
        if found is None or "0" in found.groups():
            raise UserError(f"--size: expected HEIGHTxWIDTH in pixels, for instance 512x256, not {size!r}")
        sides = int(found[1]), int(found[2])

    from skinfw.errors import counted
    from skinfw.system.bar import progress_bar
    from skinfw.tasks.inpainting.write_benchmark import write_benchmark

    with progress_bar("export") as progress:
        done = write_benchmark(
            source, output, split=split, size=sides, targets=targets, trust=trust, progress=progress
        )
    if done.failed:
        click.echo(f"{counted(len(done.failed), 'sample')} cannot be read: {done.failed[0]}", err=True)
    click.echo(f"{counted(len(done.names), 'sample')} in {output}: {', '.join(done.folders)}")
