"""``skinfw export``: export a trained network as one ONNX file, or as a small checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from skinfw.cli.options import checkpoint_option, trust_option
from skinfw.models.checkpoint_file import SUFFIX

if TYPE_CHECKING:
    from skinfw.runtime.metadata import Parity, Precision


@click.command(name="export", short_help="Export a trained network as an ONNX file.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("output", metavar="MODEL", type=click.Path(path_type=Path))
@checkpoint_option
@click.option(
    "--fp16", is_flag=True,
    help="Weights in float16, half the size; in an .onnx file also computation, for GPUs.",
)  # fmt: skip
@click.option("--int8", is_flag=True, help="Convolutions in 8 bits, for CPUs; a quarter of the size.")
@click.option(
    "--samples", type=click.Path(path_type=Path),
    help="Sample folders, or photos for a parser, to compare on. Default: the run's test samples.",
)  # fmt: skip
@click.option(
    "--license", "license_note", metavar="TEXT", help="A note on the license, written into the file."
)
@click.option("--no-script", is_flag=True, help="Write no paint.py beside an .onnx file.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@trust_option
def command(
    run: Path,
    output: Path,
    checkpoint: Literal["best", "last"],
    fp16: bool,
    int8: bool,
    samples: Path | None,
    license_note: str | None,
    no_script: bool,
    overwrite: bool,
    trust: bool,
) -> None:
    """Export the network of RUN, a run folder, as MODEL: an .onnx file, which needs no torch.

    The file is compared with the checkpoint on test samples at several sizes. It is written only if images
    differ by at most one gray level and no kept pixel changes. --fp16 and --int8 have limits of their own,
    and print what they cost.

    If MODEL ends in .safetensors, it is a checkpoint for others, compared in the same way: without optimizer
    and discriminator, and without the paths of your data. RUN may also be a checkpoint.
    """
    from skinfw.errors import UserError

    if fp16 and int8:
        raise UserError("--fp16 and --int8 exclude each other; give only one of them")
    reduced = output.suffix == SUFFIX
    if reduced and int8:
        raise UserError(f"--int8 is for .onnx files; a {SUFFIX} file can have --fp16")
    if reduced and no_script:
        raise UserError(f"--no-script is for .onnx files; a {SUFFIX} file has no script")

    from skinfw.runs.trained import open_run_or_checkpoint

    trained = open_run_or_checkpoint(run, checkpoint, trust=trust)
    if reduced:
        from skinfw.export.reduced import export_checkpoint

        done = export_checkpoint(
            trained,
            output,
            which=checkpoint,
            half=fp16,
            samples=samples,
            license_note=license_note,
            overwrite=overwrite,
        )
        precision: Precision = "float16" if fp16 else "float32"
        click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, {precision}")
        _print_parity(done.parity, precision, done.cost)
        return

    from skinfw.export.export import export_run

    exported = export_run(
        trained,
        output,
        which=checkpoint,
        precision="float16" if fp16 else "int8" if int8 else "float32",
        samples=samples,
        license_note=license_note,
        script=not no_script,
        overwrite=overwrite,
    )
    about = exported.metadata
    sizes = (
        f"{about.size[0]}x{about.size[1]} alone"
        if about.fixed
        else f"multiples of {about.multiple}, at least {about.minimum}"
    )
    click.echo(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB, {about.precision}; height and width: {sizes}"
    )
    _print_parity(about.parity, about.precision, exported.cost)
    if exported.script is not None:
        click.echo(f"{exported.script}: paints with it; needs numpy, Pillow and onnxruntime")


def _print_parity(parity: Parity, precision: Precision, cost: str) -> None:
    """Print how a file differs from the checkpoint, and what that costs."""
    from skinfw.errors import counted

    where = ", ".join(f"{height}x{width}" for height, width in parity.sizes)
    compared = f"compared with the checkpoint on {counted(parity.samples, 'sample')} at {where}"
    if parity.max_difference is None:
        click.echo(f"{compared}: {parity.different:.3%} of the labels differ")
        return
    click.echo(
        f"{compared}: {parity.different:.3%} of the values differ, by at most {parity.max_difference} "
        "gray levels; no kept pixel changed"
    )
    if precision != "float32" and parity.psnr is not None:
        click.echo(f"painted pixels: {parity.psnr:.1f} dB and a CIEDE2000 of {parity.tone:.2f} from float32")
    if parity.max_alpha_difference is not None:
        click.echo(
            f"alpha differs by at most {parity.max_alpha_difference} gray levels; "
            f"{parity.different_skin:.3%} of the mask is skin in one of the two alone"
        )
    if precision != "float32" and cost:
        click.echo(cost)
