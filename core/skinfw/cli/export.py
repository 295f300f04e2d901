"""``skinfw export``: export a trained network as one ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import checkpoint_option, trust_option


@click.command(name="export", short_help="Export a trained network as an ONNX file.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("output", metavar="MODEL.onnx", type=click.Path(path_type=Path))
@checkpoint_option
@click.option("--fp16", is_flag=True, help="Weights and computation in float16, for GPUs; half the size.")
@click.option("--int8", is_flag=True, help="Convolutions in 8 bits, for CPUs; a quarter of the size.")
@click.option(
    "--samples", type=click.Path(path_type=Path),
    help="Sample folders, or photos for a parser, to compare on. Default: the run's test samples.",
)  # fmt: skip
@click.option(
    "--license", "license_note", metavar="TEXT", help="A note on the license, written into the file."
)
@click.option("--no-script", is_flag=True, help="Write no paint.py beside the file.")
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
    """Export the network of RUN, a run folder, as MODEL.onnx, which needs no torch.

    The file is compared with the checkpoint on test samples at several sizes. It is written only if images
    differ by at most one gray level and no kept pixel changes. --fp16 and --int8 have limits of their own,
    and print what they cost.
    """
    from skinfw.errors import UserError, counted

    if fp16 and int8:
        raise UserError("--fp16 and --int8 exclude each other; give only one of them")

    from skinfw.export.export import export_run
    from skinfw.runs.trained import open_trained

    exported = export_run(
        open_trained(run, checkpoint, trust=trust),
        output,
        which=checkpoint,
        precision="float16" if fp16 else "int8" if int8 else "float32",
        samples=samples,
        license_note=license_note,
        script=not no_script,
        overwrite=overwrite,
    )
    about, parity = exported.metadata, exported.metadata.parity
    sizes = (
        f"{about.size[0]}x{about.size[1]} alone"
        if about.fixed
        else f"multiples of {about.multiple}, at least {about.minimum}"
    )
    click.echo(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB, {about.precision}; height and width: {sizes}"
    )
    where = ", ".join(f"{height}x{width}" for height, width in parity.sizes)
    compared = f"compared with the checkpoint on {counted(parity.samples, 'sample')} at {where}"
    if parity.max_difference is None:
        click.echo(f"{compared}: {parity.different:.3%} of the labels differ")
    else:
        click.echo(
            f"{compared}: {parity.different:.3%} of the values differ, by at most {parity.max_difference} "
            "gray levels; no kept pixel changed"
        )
        if about.precision != "float32" and parity.psnr is not None:
            click.echo(
                f"painted pixels: {parity.psnr:.1f} dB and a CIEDE2000 of {parity.tone:.2f} from float32"
            )
        if parity.max_alpha_difference is not None:
            click.echo(
                f"alpha differs by at most {parity.max_alpha_difference} gray levels; "
                f"{parity.different_skin:.3%} of the mask is skin in one of the two alone"
            )
        if about.precision != "float32" and exported.cost:
            click.echo(exported.cost)
    if exported.script is not None:
        click.echo(f"{exported.script}: paints with it; needs numpy, Pillow and onnxruntime")
