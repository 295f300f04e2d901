"""Painting a folder, an archive or a list of photos: in parallel, resumable, with a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from skinfw.data.image_formats import is_image_name
from skinfw.errors import RunError, UserError
from skinfw.inference.image_table import ImageRow, Progress, with_known, write_table
from skinfw.inference.paint_tasks import paint_tasks, reject_inputs
from skinfw.inference.photo_task import TABLE, PaintWork, PhotoPainter, PhotoTask
from skinfw.preparation.available import FETCHED_FOLDER, made_available
from skinfw.preparation.config import FetchConfig
from skinfw.preparation.listing import Entry
from skinfw.preparation.source import UNPACKED_FOLDER, list_photos
from skinfw.preparation.task import make_tasks
from skinfw.system.devices import processes
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import locked_folder
from skinfw.system.paths_below import path_below
from skinfw.system.workers import Engine, work_on

LOCK_FILE = ".paint.lock"

Ending = Literal["png", "webp", "jpg"]


def paint_photos(
    work: PaintWork,
    photos: Path,
    *,
    masks: Path | None = None,
    ending: Ending = "png",
    overwrite: bool = False,
    resume: bool = False,
    num_workers: int | None = None,
    engine: Engine = "local",
    address: str | None = None,
    progress: Progress | None = None,
) -> list[ImageRow]:
    """Paint every photo of a source into a folder, under its own name.

    The table `TABLE` in the folder says for every photo what was done, or why nothing was.

    Args:
        work: the model, the output folder and the settings.
        photos: a folder, an archive, or a list of paths and URLs, as ``prepare`` takes them.
        masks: folder with a mask for each photo, called like it or with ``_mask`` after its name; None to
            find the holes.
        ending: the format of the painted photos.
        overwrite: replace existing files.
        resume: keep existing files made from the same photo and mask by the same model, and paint the others.
        num_workers: processes; None: one per core, or one if there is an accelerator.
        engine: processes on this machine, or on the CPUs of a Ray cluster whose nodes share model, photos,
            masks and output under the same paths.
        address: the Ray cluster; None for the one that Ray finds, or a new one on this machine.
        progress: called after every photo.

    Returns:
        one row per photo, and per other file of the source, which is not used; sorted by name.

    Raises:
        UserError: paintings or the masks that are used would be written over given masks or photos, or these
            masks over paintings.
        DataError: no photo was found, or a photo is unusable and the settings stop at errors.
        RunError: files are in the way, or cannot be written.
    """
    output = work.output
    if masks is not None and not masks.is_dir():
        raise UserError(f"{masks}: not a folder; give a folder with one mask per photo")
    if output.exists() and not output.is_dir():
        raise RunError(f"{output}: not a folder; give another output folder")
    reject_inputs(output, work.show_masks, masks, photos)
    painter = work.build()
    listing = list_photos(photos, output, painter.inpainter.segmenter.sources)
    output.mkdir(parents=True, exist_ok=True)
    with locked_folder(output, LOCK_FILE, "process"):
        remove_leftovers(output, deep=True)
        with made_available(photos, output, listing, FetchConfig()) as entries:
            tasks = paint_tasks(work, make_tasks(entries), photos, masks, ending)
            table = path_below(output, TABLE)
            tasks = with_known(tasks, table, overwrite=overwrite, resume=resume)
            used = _used(painter, entries, tasks)
            others = [ImageRow(row.photo, "", "failed", row.detail) for row in listing.rejected]
            others += [
                ImageRow(row.photo, "", "not used", f"{row.reason}: {row.detail}")
                for row in listing.not_used(used)
            ]
            others += _masks_of_no_photo(masks, photos, used)
            if engine == "ray":
                work = replace(work, device="cpu")
            made = work_on(
                work,
                tasks,
                painter,
                num_workers or processes(work.device),
                engine=engine,
                address=address,
            )
            rows = write_table(table, tasks, others, made, progress)
    for folder in (UNPACKED_FOLDER, FETCHED_FOLDER):
        if (output / folder).is_dir() and not any((output / folder).iterdir()):
            (output / folder).rmdir()
    return rows


def _masks_of_no_photo(masks: Path | None, photos: Path, used: Collection[Path]) -> list[ImageRow]:
    """Return a row for each image in the folder of masks that belongs to no photo."""
    if masks is None or not photos.is_dir():  # a list may name some photos of many
        return []
    ours, theirs = masks.resolve(), photos.resolve()
    if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):  # photos and masks lie among each other
        return []
    return [
        ImageRow(f"{masks.name}/{path.relative_to(masks).as_posix()}", "", "not used", "mask: of no photo")
        for path in sorted(masks.rglob("*"))
        if path.is_file() and is_image_name(path.name) and path not in used
    ]


def _used(painter: PhotoPainter, entries: Sequence[Entry], tasks: Sequence[PhotoTask]) -> Collection[Path]:
    """Return the files that belong to photos: label maps, poses and masks."""
    used = {task.mask for task in tasks if task.mask is not None}
    for entry in entries:
        with suppress(OSError):  # the path is too long for the file system
            used.update(painter.sources(entry.path))
    return used
