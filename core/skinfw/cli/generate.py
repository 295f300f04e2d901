"""``skinfw generate``: inpaint sample folders with a trained run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import checkpoint_option, device_option, trust_option


@click.command(name="generate", short_help="Inpaint samples with a trained run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("samples", metavar="INPUT", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@checkpoint_option
@device_option
@click.option(
    "--batch-size", type=click.IntRange(min=1), help="Samples per batch. Default: the run's eval_batch_size."
)
@click.option("--overwrite", is_flag=True, help="Replace existing images.")
@click.option("--resume", is_flag=True, help="Keep images that the same run made of the same sample.")
@click.option(
    "--on-error", type=click.Choice(["skip", "fail"]), default="skip", show_default=True,
    help="Skip unusable samples and list them at the end, or stop at the first.",
)  # fmt: skip
@trust_option
def command(
    run: Path,
    samples: Path,
    output: Path,
    checkpoint: Literal["best", "last"],
    device: Literal["auto", "cpu"],
    batch_size: int | None,
    overwrite: bool,
    resume: bool,
    on_error: Literal["skip", "fail"],
    trust: bool,
) -> None:
    """Inpaint the samples in INPUT with RUN, a run folder, and write OUTPUT/NAME.png for each.

    RUN may also be a checkpoint, a model of skinfw like skinfw:NAME (see skinfw list models), or an exported
    .onnx file, which needs no torch. INPUT is one sample folder, a folder of them at any depth, or a quoted
    glob; the target is not needed.

    Pixels outside the inpainted region equal the input, which is checked in every file.
    """
    from skinfw.errors import UserError, counted

    if resume and overwrite:
        raise UserError("--resume keeps images, --overwrite replaces them; give only one of them")

    from skinfw.inference.open_model import is_exported

    if is_exported(run):
        from skinfw.inference.sample_images import paint_samples
        from skinfw.runtime import OnnxModel

        if resume or batch_size is not None or checkpoint != "best":
            raise UserError(
                "an exported file holds one checkpoint and paints one sample after the other; leave out "
                "--checkpoint, --resume and --batch-size"
            )
        model = OnnxModel(run, device=device)
        written = paint_samples(model, samples, output, overwrite=overwrite, on_error=on_error, trust=trust)
        click.echo(f"{counted(len(written), 'image')} in {output}")
        return

    from skinfw.inference.generate import generate_folder
    from skinfw.runs.trained import open_run_or_checkpoint
    from skinfw.system.bar import progress_bar
    from skinfw.system.devices import pick_device

    opened = open_run_or_checkpoint(run, checkpoint, trust=trust)
    try:
        with progress_bar("generate") as progress:
            written = generate_folder(
                opened,
                samples,
                output,
                which=checkpoint,
                device=pick_device(device),
                batch_size=batch_size,
                overwrite=overwrite,
                resume=resume,
                on_error=on_error,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Interrupted; finished images are kept. Continue with --resume.") from None
    click.echo(f"{counted(len(written), 'image')} in {output}")
