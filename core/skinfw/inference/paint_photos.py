"""Painting a folder, an archive or a list of photos: in parallel, resumable, with a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from skinfw.components.weights import file_sha256
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.errors import DataError, RunError, UserError, listed
from skinfw.inference.painted import FORMATS
from skinfw.inference.photo_task import PaintRow, PaintWork, PhotoPainter, PhotoTask
from skinfw.preparation.available import FETCHED_FOLDER, made_available
from skinfw.preparation.config import FetchConfig
from skinfw.preparation.listing import Entry
from skinfw.preparation.local_engine import Workers
from skinfw.preparation.source import UNPACKED_FOLDER, list_photos
from skinfw.preparation.task import Task, make_tasks
from skinfw.system.devices import pick_device
from skinfw.system.json_file import parse_json, read_text, write_text
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import locked_folder
from skinfw.system.paths_below import on_disk, path_below
from skinfw.system.processes import cores

TABLE = "painted.jsonl"
"""The table in the output folder: one JSON object per photo, see `skinfw.inference.photo_task.PaintRow`."""

LOCK_FILE = ".paint.lock"

Ending = Literal["png", "webp", "jpg"]

Progress = Callable[[int, int], None]
"""Called with the number of finished photos and the total."""

_MASK_ENDINGS = ("", "_mask")
_SHOWN = 5


def paint_photos(
    work: PaintWork,
    photos: Path,
    *,
    masks: Path | None = None,
    ending: Ending = "png",
    overwrite: bool = False,
    resume: bool = False,
    num_workers: int | None = None,
    progress: Progress | None = None,
) -> list[PaintRow]:
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
        progress: called after every photo.

    Returns:
        one row per photo, and per other file of the source, which is not used; sorted by name.

    Raises:
        UserError: the masks that are used would be written over paintings, masks or photos.
        DataError: there are no photos, or a photo is unusable and the settings stop at errors.
        RunError: files are in the way, or cannot be written.
    """
    output = work.output
    if masks is not None and not masks.is_dir():
        raise UserError(f"{masks}: not a folder; give a folder with one mask per photo")
    if output.exists() and not output.is_dir():
        raise RunError(f"{output}: not a folder; give another output folder")
    if photos.is_dir() and photos.resolve() == output.resolve():
        raise DataError(f"{output}: the photos' own folder; choose another output folder")
    reject_shown(work.show_masks, output, masks, photos)
    painter = work.build()
    listing = list_photos(photos, output, painter.inpainter.segmenter.sources)
    output.mkdir(parents=True, exist_ok=True)
    with locked_folder(output, LOCK_FILE, "process"):
        remove_leftovers(output, deep=True)
        with made_available(photos, output, listing, FetchConfig()) as entries:
            tasks = _tasks(work, make_tasks(entries), photos, masks, ending)
            tasks = _with_known(tasks, output, overwrite=overwrite, resume=resume)
            used = _used(painter, entries, tasks)
            first = [PaintRow(row.photo, "", "failed", row.detail) for row in listing.rejected]
            first += [
                PaintRow(row.photo, "", "not used", f"{row.reason}: {row.detail}")
                for row in listing.not_used(used)
            ]
            rows: list[PaintRow] = []
            with _table(output, rows) as add:
                for row in first:
                    add(row)
                for row in _rows(work, painter, tasks, num_workers):
                    add(row)
                    if progress is not None:
                        progress(len(rows) - len(first), len(tasks))
    for folder in (UNPACKED_FOLDER, FETCHED_FOLDER):
        if (output / folder).is_dir() and not any((output / folder).iterdir()):
            (output / folder).rmdir()
    return sorted(rows, key=lambda row: row.photo)


def reject_shown(shown: Path | None, output: Path, masks: Path | None, photos: Path) -> None:
    """Raise an error if masks would be written where something else is.

    Args:
        shown: file or folder for the masks that are used, or None.
        output: file or folder of the paintings.
        masks: file or folder of the given masks, or None.
        photos: the photo, or the source of photos.

    Raises:
        UserError: it is one of them.
    """
    if shown is None:
        return
    others = (("the output", output), ("the given mask or masks", masks), ("the photo or photos", photos))
    for what, other in others:
        if other is not None and shown.resolve() == other.resolve():
            raise UserError(f"{shown}: the masks that are used would replace {what}; write them elsewhere")


def _tasks(
    work: PaintWork, named: Sequence[Task], photos: Path, masks: Path | None, ending: str
) -> list[PhotoTask]:
    """Return what to paint: every photo but those that are the masks of others.

    Raises:
        DataError: no photo is left.
        UserError: a mask that is used would replace a painting, a given mask or a photo.
    """
    same: dict[str, set[Path]] = {}
    for each in named:
        same.setdefault(each.sample, set()).add(each.entry.path.resolve())
    tasks = []
    for task in named:
        mask, error = (None, "") if masks is None else _mask_of(masks, task.sample, same[task.sample])
        name = f"{task.sample}.{ending}"
        if task.rejected is not None:
            name, error = "", task.rejected.detail
            if task.rejected.reason == "name already taken":
                error = f"{task.entry.name}: another photo or a folder of photos has its name; rename one"
        target = work.output / TABLE if not name else path_below(work.output, name)
        shown = None
        if work.show_masks is not None and name:
            shown = path_below(work.show_masks, f"{task.sample}.png")
        tasks.append(PhotoTask(task.entry, target, mask, name, shown, None, error))
    given = {task.mask.resolve() for task in tasks if task.mask is not None}
    taken = given.union(*same.values(), (task.target.resolve() for task in tasks))
    for shown in (task.shown for task in tasks):
        if shown is not None and shown.resolve() in taken:
            raise UserError(
                f"{shown}: a mask that is used would replace a painting, a given mask or a photo; write the "
                "masks elsewhere"
            )
    left = [task for task in tasks if task.entry.path.resolve() not in given]
    if not left:
        raise DataError(f"{photos}: every photo in it is the mask of another; give another folder of masks")
    return left


def _used(painter: PhotoPainter, entries: Sequence[Entry], tasks: Sequence[PhotoTask]) -> Collection[Path]:
    """Return the files that belong to photos: label maps, poses and masks."""
    used = {task.mask for task in tasks if task.mask is not None}
    for entry in entries:
        with suppress(OSError):  # the path is too long for the file system
            used.update(painter.sources(entry.path))
    return used


def _mask_of(masks: Path, sample: str, photos: Collection[Path]) -> tuple[Path | None, str]:
    """Return the mask of a photo, none of the photos of that name, and why there is none."""
    for ending in _MASK_ENDINGS:
        for suffix in IMAGE_SUFFIXES:
            path = on_disk(path_below(masks, f"{sample}{ending}{suffix}"))
            if path.is_file() and path.resolve() not in photos:
                return path, ""
    return None, f"{masks / sample}: no mask of that name (looked for {sample}.png, {sample}_mask.png, ...)"


def _with_known(
    tasks: Sequence[PhotoTask], output: Path, *, overwrite: bool, resume: bool
) -> list[PhotoTask]:
    """Return the tasks with the rows of the files that are there.

    Raises:
        RunError: files are in the way.
    """
    existing = [task for task in tasks if task.name and task.target.exists()]
    shown = [task for task in tasks if task.shown is not None and task.shown.exists()]
    if overwrite or not (existing or shown):
        return list(tasks)
    if not resume:
        if not existing:
            names = listed([str(task.shown) for task in shown], _SHOWN)
            raise RunError(f"{names}: already there; replace with --overwrite, or write masks elsewhere")
        names = listed([task.name for task in existing], _SHOWN)
        raise RunError(
            f"{output}: already holds {names}; continue with --resume, replace with --overwrite (in Python: "
            "resume=True, overwrite=True), or write elsewhere"
        )
    known = _read_table(output / TABLE)
    strange = [
        task.name
        for task in existing
        if task.name not in known or file_sha256(task.target) != known[task.name].sha256
    ]
    strange += [
        str(task.shown)
        for task in shown
        if task.shown is not None
        and (task.name not in known or file_sha256(task.shown) != known[task.name].mask_sha256)
    ]
    if strange:
        raise RunError(
            f"{output}: {listed(strange, _SHOWN)} was edited, or not painted by skinfw; delete it, replace "
            "all with --overwrite, or write elsewhere"
        )
    there = {task.name for task in existing}
    return [replace(task, known=known[task.name]) if task.name in there else task for task in tasks]


def _read_table(path: Path) -> dict[str, PaintRow]:
    """Return the rows of earlier commands by output; damaged lines do not count."""
    if not path.is_file():
        return {}
    adapter, found = TypeAdapter(PaintRow), {}
    for line in read_text(path).splitlines():
        try:
            row = adapter.validate_python(parse_json(line, file_names=True))
        except (ValueError, ValidationError):  # half a line of a killed command
            continue
        if row.output:
            found[row.output] = row
    return found


@contextmanager
def _table(output: Path, rows: list[PaintRow]) -> Iterator[Callable[[PaintRow], None]]:
    """Write each row as it comes, so that a killed command can be resumed, and all sorted at the end.

    A photo that failed keeps its earlier painting, so its row does too; else nothing could be resumed.
    """
    path = path_below(output, TABLE)
    earlier = {row.photo: row for row in _read_table(path).values()}

    def add(row: PaintRow) -> None:
        before = earlier.get(row.photo)
        if row.status == "failed" and before is not None:
            file = path_below(output, before.output)
            if file.is_file() and file_sha256(file) == before.sha256:
                row = replace(before, status="failed", reason=row.reason)
        rows.append(row)
        with path.open("a", encoding="utf-8") as table:
            table.write(_line(row))

    try:
        yield add
    finally:
        merged: Mapping[str, PaintRow] = {**earlier, **{row.photo: row for row in rows}}
        write_text(path, "".join(_line(merged[photo]) for photo in sorted(merged)))


def _line(row: PaintRow) -> str:
    return json.dumps(row.to_json()) + "\n"


def _rows(
    work: PaintWork, painter: PhotoPainter, tasks: Sequence[PhotoTask], num_workers: int | None
) -> Iterator[PaintRow]:
    on_cpu = pick_device(work.device or "auto").type == "cpu"
    count = min(num_workers or (cores() if on_cpu else 1), len(tasks))
    if count <= 1:
        yield from (task.run(painter) for task in tasks)
        return
    pool: Workers[PaintRow] = Workers(work, count)
    try:
        yield from pool.rows(tasks)
    finally:
        pool.close()


def check_rows(rows: Sequence[PaintRow], output: Path) -> None:
    """Raise an error if photos failed, after all others were painted.

    Raises:
        DataError: it names the first ones.
    """
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        photos = sum(row.status != "not used" for row in rows)
        lines = [f"  {row.reason}" for row in failed[:_SHOWN]]
        more = [f"  and {len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else []
        head = f"{len(failed)} of {photos} photos were not painted; {output / TABLE} says why for each"
        raise DataError("\n".join([head, *lines, *more]))


ENDINGS = tuple(sorted({suffix[1:] for suffix in FORMATS} - {"jpeg"}))
"""The endings that `paint_photos` can write."""
