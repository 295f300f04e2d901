"""``skinfw repair``: the skin in the results of a try-on system becomes the photo's again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from skinfw.cli.messages import announce
from skinfw.cli.options import ComponentOption, checkpoint_option, device_option, pair_options, trust_option

if TYPE_CHECKING:
    from skinfw.data.layouts import Layout
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
    help="Take only one step; only paint uses MODEL. Default: all three.",
)  # fmt: skip
@pair_options
@click.option(
    "--pose-encoder", cls=ComponentOption, kind="pose_encoder",
    own="to paint, the poses beside the photos; without them, the encoder for such photos",
    help="Finds the poses in photos; none for no poses, as --only restore and tone work by themselves.",
)  # fmt: skip
@checkpoint_option
@device_option
@click.option(
    "--num-workers", type=click.IntRange(min=1), help="Processes. Default: one per core; one with a GPU."
)
@click.option("--overwrite", is_flag=True, help="Replace existing images.")
@click.option(
    "--resume", is_flag=True, help="Keep images that the same model and options made of the same pair."
)
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
    num_workers: int | None,
    overwrite: bool,
    resume: bool,
    trust: bool,
) -> None:
    """Repair results of a try-on system with the photos they were made from.

    Copies face, hands and skin that both pictures show from the photo; moves the color of the other skin to
    the photo's; paints the skin that clothes hid in the photo with MODEL, on limbs and neck only. MODEL is a
    run folder, a checkpoint, an exported .onnx file, or a model in skinfw like skinfw:NAME (see skinfw list
    models); without it, the one for masks. Writes NAME.png of the result's size, provenance/NAME.png and
    repaired.jsonl, a line per result, into FOLDER; all other pixels equal the result.
    """
    from skinfw.errors import UserError

    if resume and overwrite:
        raise UserError("--resume keeps files, --overwrite replaces them; give only one of them")
    steps: Sequence[Step] = ("restore", "tone", "paint") if only is None else (only,)
    if "paint" in steps and pose_encoder == "none":
        raise UserError("painting needs poses, not --pose-encoder none; or choose --only restore or tone")
    if "paint" not in steps and model is not None:
        raise UserError(f"--only {only} uses no MODEL; leave it out")
    given = {
        "--person": person,
        "--result": result,
        "--parse-person": parse_person,
        "--parse-result": parse_result,
    }
    for option, path in given.items():
        if path is not None and path.is_dir() and path.resolve() == output.resolve():
            raise UserError(f"{output}: the folder of {option}; choose another output folder")

    announce("loading the models")
    from skinfw.cli.components import component_option
    from skinfw.cli.pairs import make_pairing, parser_reference
    from skinfw.inference.image_table import check_rows
    from skinfw.models.defaults import default_painter
    from skinfw.models.hub import pinned
    from skinfw.repair.folder import TABLE, repair_pairs
    from skinfw.repair.pair_task import RepairWork
    from skinfw.system.bar import progress_bar

    if "paint" in steps and model is None:
        model = default_painter()
    # hands can be found without a pose in some label maps; only painting needs one
    pose = None
    if pose_encoder not in (None, "none"):
        pose = component_option("pose_encoder", pose_encoder, "--pose-encoder")
    repairer = RepairWork(
        folder=Path.cwd(),
        output=output,
        parser=parser_reference(
            segmenter,
            pose,
            parse_person,
            parse_result,
            parse_segmenter,
            default_poses="paint" in steps and pose is None,
        ),
        steps=steps,
        model=None if model is None else pinned(model),
        checkpoint=checkpoint,
        device=device,
        trust=trust,
    ).build()
    pairing = make_pairing(person, result, layout, pairs, repairer.parser)
    try:
        with progress_bar("repair") as progress:
            rows = repair_pairs(
                repairer,
                pairing,
                overwrite=overwrite,
                resume=resume,
                num_workers=num_workers,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Interrupted; finished images are kept in {output}. Continue with --resume."
        ) from None
    counts = {status: sum(row.status == status for row in rows) for status in ("repaired", "kept", "failed")}
    click.echo(f"{', '.join(f'{count} {status}' for status, count in counts.items())}, in {output}")
    if repairer.inpainter is not None:
        click.echo(f"model: {repairer.inpainter.name}")
    check_rows(rows, output / TABLE, "result", "repaired")
