"""``skinfw repair``: the skin in the results of a try-on system becomes the photo's again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from skinfw.cli.options import ComponentOption, checkpoint_option, device_option, pair_options, trust_option

if TYPE_CHECKING:
    from skinfw.repair.pairs import Layout
    from skinfw.repair.repairing import Step


@click.command(name="repair", short_help="Repair the skin in results of a try-on system.")
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.option(
    "--person", type=click.Path(path_type=Path), metavar="PATH", required=True,
    help="The photo of the person in the old clothes, or a folder of photos.",
)  # fmt: skip
@click.option(
    "--result", type=click.Path(path_type=Path), metavar="PATH", required=True,
    help="The try-on system's result, or its folder of results.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", required=True,
    help="Where to write the repaired results.",
)  # fmt: skip
@click.option(
    "--only", type=click.Choice(["restore", "tone", "paint"]),
    help="Take only one step. MODEL is needed for paint alone. Default: all three.",
)  # fmt: skip
@pair_options
@click.option(
    "--pose-encoder", cls=ComponentOption, kind="pose_encoder",
    help="Finds the poses in photos; none for no poses, as --only restore and tone work by themselves.",
)  # fmt: skip
@checkpoint_option
@device_option
@click.option("--overwrite", is_flag=True, help="Replace existing images.")
@trust_option
def command(
    model: Path | None,
    person: Path,
    result: Path,
    output: Path,
    only: Literal["restore", "tone", "paint"] | None,
    segmenter: str | None,
    parse_person: Path | None,
    parse_result: Path | None,
    parse_segmenter: str | None,
    layout: Layout,
    pairs: Path | None,
    pose_encoder: str | None,
    checkpoint: Literal["best", "last"],
    device: Literal["auto", "cpu"],
    overwrite: bool,
    trust: bool,
) -> None:
    """Repair results of a try-on system with the photos they were made from.

    Copies face, hands and skin that both pictures show from the photo; moves the color of the other skin to
    the photo's; paints the skin that clothes hid in the photo with MODEL, a run folder, a checkpoint or an
    exported .onnx file, on limbs and neck only. Writes NAME.png of the result's size, provenance/NAME.png and
    report.json into FOLDER; all other pixels equal the result.
    """
    from skinfw.errors import UserError, counted

    steps: Sequence[Step] = ("restore", "tone", "paint") if only is None else (only,)
    if "paint" in steps and model is None:
        raise UserError(
            "painting needs MODEL, a run folder, a checkpoint or an exported .onnx file; or choose --only "
            "restore or tone"
        )
    if "paint" in steps and pose_encoder == "none":
        raise UserError("painting needs poses, not --pose-encoder none; or choose --only restore or tone")
    if "paint" not in steps and model is not None:
        raise UserError(f"--only {only} uses no MODEL; leave it out")

    from skinfw.cli.components import component_option
    from skinfw.cli.pairs import make_pairing, make_parser
    from skinfw.repair.folder import repair_pairs
    from skinfw.system.bar import progress_bar

    # hands can be found without a pose in some label maps; only painting needs one
    pose = None
    if pose_encoder not in (None, "none") or "paint" in steps:
        pose = component_option("pose_encoder", pose_encoder, "--pose-encoder")
    parser = make_parser(segmenter, pose, parse_person, parse_result, parse_segmenter)
    pairing = make_pairing(person, result, layout, pairs, parser)
    inpainter = None
    if model is not None:
        from skinfw.inference.inpainter import Inpainter

        # it is given label maps and poses; its own pose encoder draws them as in training
        inpainter = Inpainter.load(
            model,
            checkpoint=checkpoint,
            device=device,
            segmenter=component_option("segmenter", segmenter, "--segmenter"),
            trust=trust,
        )
    try:
        with progress_bar("repair") as progress:
            report = repair_pairs(
                pairing,
                output,
                parser,
                inpainter=inpainter,
                steps=steps,
                overwrite=overwrite,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Interrupted; finished images are kept in {output}.") from None
    click.echo(f"{counted(len(report.repaired), 'image')} in {output}")
