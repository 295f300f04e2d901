"""``skinfw paint``: paint photos at their own resolution with a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from skinfw.cli.messages import announce
from skinfw.cli.options import (
    check_address,
    checkpoint_option,
    device_option,
    engine_options,
    painting_options,
    trust_option,
)

if TYPE_CHECKING:
    from skinfw.inference.paint_photos import Ending
    from skinfw.inference.photo_task import PaintWork
    from skinfw.system.workers import Engine


@click.command(name="paint", short_help="Paint the missing skin of photos.")
@click.argument("paths", nargs=-1, required=True, metavar="[MODEL] PHOTO", type=click.Path(path_type=Path))
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="MODEL",
    help="Another way to name the model. Default: the one in skinfw for masks, or for regions.",
)  # fmt: skip
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER",
    help="A .png, .webp or .jpg file for one photo; a folder for several.",
)  # fmt: skip
@click.option(
    "--mask", type=click.Path(path_type=Path), metavar="FILE|FOLDER",
    help="What to paint: white or transparent. Default: the transparent or flat white holes of the photo.",
)  # fmt: skip
@click.option(
    "--region", type=click.Path(path_type=Path), metavar="FILE|FOLDER",
    help="Instead of --mask: a garment to take off, with a thin margin around it. The model, one with alpha, "
    "finds the skin in it.",
)  # fmt: skip
@click.option(
    "--expose", metavar="LIMBS",
    help="Instead of --mask: limbs whose clothes to take off, with a thin margin around them, for instance "
    "forearms,legs. Known: neck, arms (upper_arms, forearms), legs (thighs, lower_legs).",
)  # fmt: skip
@click.option(
    "--mask-color", metavar="COLOR",
    help="Color that marks what to paint: a name such as gray, #rrggbb or r,g,b.",
)  # fmt: skip
@click.option(
    "--person", metavar="X,Y",
    help="The person to paint in a photo of several: column and row of a pixel on their trunk or head, from "
    "0 at the top left. Default: the most prominent person.",
)  # fmt: skip
@click.option(
    "--show-mask", type=click.Path(path_type=Path), metavar="FILE|FOLDER",
    help="Write what is painted as a black-and-white mask.",
)  # fmt: skip
@painting_options
@checkpoint_option
@device_option
@click.option(
    "--format", "ending", type=click.Choice(["png", "webp", "jpg"]),
    help="Format of the photos in a folder; png and webp keep all other pixels exactly. Default: png.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Chooses the skin's fine structure.")
@click.option(
    "--num-workers", type=click.IntRange(min=1), help="Processes. Default: one per core; one with a GPU."
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option(
    "--resume", is_flag=True, help="Keep files that the same model made of the same photo and mask."
)
@click.option(
    "--on-error", type=click.Choice(["skip", "fail"]),
    help="Skip unusable photos and list them at the end, or stop at the first. Default: skip.",
)  # fmt: skip
@engine_options
@trust_option
def command(
    paths: tuple[Path, ...],
    model: Path | None,
    output: Path,
    mask: Path | None,
    region: Path | None,
    expose: str | None,
    mask_color: str | None,
    person: str | None,
    show_mask: Path | None,
    segmenter: str | None,
    pose_encoder: str | None,
    background: str | None,
    checkpoint: Literal["best", "last"],
    device: Literal["auto", "cpu"],
    ending: Ending | None,
    seed: int,
    num_workers: int | None,
    overwrite: bool,
    resume: bool,
    on_error: Literal["skip", "fail"] | None,
    engine: Engine,
    address: str | None,
    trust: bool,
) -> None:
    """Paint the missing skin of PHOTO with MODEL.

    MODEL is a run folder, a checkpoint, an exported .onnx file, a shared model like hub:ORG/NAME@COMMIT, or
    one in skinfw like skinfw:NAME (see skinfw list models). Without it, one of these paints.

    PHOTO is an image, a folder, an archive, or a list of paths and URLs. What to paint comes from --mask,
    from --region or --expose, which take clothes off, or else from the holes in the photo. Every pixel that
    is not painted stays as it is, bit for bit (except in JPEG). Only a mask can paint on trunk and hips.
    """
    from skinfw.errors import UserError

    check_address(engine, address)
    if resume and overwrite:
        raise UserError("--resume keeps files, --overwrite replaces them; give only one of them")
    given = {"--mask": mask, "--region": region, "--expose": expose}
    options = [option for option, value in given.items() if value is not None]
    if expose is not None and mask_color is not None:
        options.append("--mask-color")
    if len(options) > 1:
        raise UserError(f"{', '.join(options)}: each says what to paint; give only one of them")

    announce("loading the model")
    from skinfw.cli.components import optional_component
    from skinfw.cli.model_argument import model_and_photo
    from skinfw.data.image_formats import is_image_name
    from skinfw.inference.expose import parse_limbs
    from skinfw.inference.paint_mask import parse_color
    from skinfw.inference.person_at import parse_point
    from skinfw.inference.photo_task import PaintWork
    from skinfw.models.hub import pinned

    model, photo = model_and_photo(paths, model, region=region is not None)

    def component(kind: str, text: str | None, option: str) -> dict[str, Any] | None:
        found = optional_component(kind, text, option)
        return None if found is None else found.to_json()

    work = PaintWork(
        folder=Path.cwd(),
        output=output,
        model=pinned(model),
        checkpoint=checkpoint,
        device=device,
        segmenter=component("segmenter", segmenter, "--segmenter"),
        pose_encoder=component("pose_encoder", pose_encoder, "--pose-encoder"),
        background=component("generator", background, "--background"),
        region=region is not None,
        expose=() if expose is None else parse_limbs(expose),
        mask_color=None if mask_color is None else parse_color(mask_color),
        person=None if person is None else parse_point(person),
        show_masks=show_mask,
        seed=seed,
        on_error=on_error or "skip",
        trust=trust,
    )
    if is_image_name(photo.name) and not photo.is_dir():
        if resume:
            raise UserError("--resume is for several photos; use --overwrite for one")
        for option, given_here in (
            ("--num-workers", num_workers is not None),
            ("--on-error", on_error is not None),
            ("--engine", engine != "local"),
        ):
            if given_here:
                raise UserError(f"{option} is for several photos; leave it out for one")
        _paint_one(work, photo, region or mask, ending, overwrite=overwrite)
        return

    if person is not None:
        raise UserError("--person is for one photo; leave it out for several")
    _paint_all(
        work,
        photo,
        region or mask,
        ending,
        overwrite=overwrite,
        resume=resume,
        num_workers=num_workers,
        engine=engine,
        address=address,
    )


def _paint_all(
    work: PaintWork,
    photos: Path,
    masks: Path | None,
    ending: Ending | None,
    *,
    overwrite: bool,
    resume: bool,
    num_workers: int | None,
    engine: Engine,
    address: str | None,
) -> None:
    """Paint the photos of a source into a folder."""
    from skinfw.errors import counted
    from skinfw.inference.image_table import check_rows
    from skinfw.inference.paint_photos import paint_photos
    from skinfw.inference.photo_task import TABLE
    from skinfw.system.bar import progress_bar

    try:
        with progress_bar("paint") as show:
            rows = paint_photos(
                work,
                photos,
                masks=masks,
                ending=ending or "png",
                overwrite=overwrite,
                resume=resume,
                num_workers=num_workers,
                engine=engine,
                address=address,
                progress=show,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Interrupted; finished photos are kept. Continue with --resume.") from None
    for line in models_in_use([row.report for row in rows if row.status == "painted" and row.report]):
        click.echo(line)
    counts = {status: sum(row.status == status for row in rows) for status in ("painted", "kept", "failed")}
    done = [f"{count} {status}" for status, count in counts.items()]
    if others := sum(row.status == "not used" for row in rows):
        done.append(f"{counted(others, 'other file')} not used")
    click.echo(", ".join(done))
    if warned := sum(bool(row.report and row.report["warnings"]) for row in rows):
        click.echo(f"{counted(warned, 'photo')} with warnings: {work.output / TABLE} has them")
    check_rows(rows, work.output / TABLE, "photo", "painted")


def _paint_one(
    work: PaintWork, photo: Path, mask: Path | None, ending: Ending | None, *, overwrite: bool
) -> None:
    """Paint one photo into one file."""
    import logging

    from skinfw.errors import UserError
    from skinfw.inference.paint_tasks import reject_inputs
    from skinfw.inference.painted import LOSSY, format_of
    from skinfw.inference.photo_task import save_mask
    from skinfw.system.existing import reject_existing
    from skinfw.system.paths_below import path_below

    logger = logging.getLogger("skinfw")
    target, shown = work.output, work.show_masks
    if target.is_dir():
        target = path_below(target, f"{photo.stem}.{ending or 'png'}")
    elif ending is not None:
        raise UserError(f"--format is for folders; the ending of {target} chooses the format")
    kind = format_of(target)
    if shown is not None and shown.is_dir():
        shown = path_below(shown, f"{photo.stem}.png")
    reject_inputs(target, shown, mask, photo)
    reject_existing([target] if shown is None else [target, shown], overwrite=overwrite, in_python=False)
    if mask is not None and not mask.is_file():  # before the models are loaded
        raise UserError(f"{mask}: no such file")
    painted = work.paint(work.load(), photo, mask)
    for warning in painted.report["warnings"]:
        logger.warning("%s: %s", photo, warning)
    if kind in LOSSY:
        logger.warning("%s: %s changes pixels that are not painted; PNG and WebP do not", target, kind)
    painted.save(target)
    if shown is not None:
        save_mask(painted.mask, shown)
    click.echo(f"{painted.report['painted']:,} pixels painted in {target}")
    for line in models_in_use([painted.report]):
        click.echo(line)


def models_in_use(reports: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the models in skinfw that photos were painted with, one line for each combination."""
    from skinfw.models.named import is_named

    lines = []
    for report in reports:
        model, segmenter = report["model"], report["segmenter"]
        if is_named(model) or is_named(segmenter):
            without = "" if report["pose"] else "; all of the mask is painted as skin"
            lines.append(f"model: {model}; parts of the person: {segmenter}{without}")
    return sorted(set(lines))
