"""Painting a folder, an archive or a list of photos: in parallel, resumable, with a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from skinfw.preparation.local_engine import Workers
from skinfw.preparation.source import UNPACKED_FOLDER, list_photos
from skinfw.preparation.task import make_tasks
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
        one row per photo, sorted by name.

    Raises:
        DataError: there are no photos, or a photo is unusable and the settings stop at errors.
        RunError: files are in the way, or cannot be written.
    """
    output = work.output
    if masks is not None and not masks.is_dir():
        raise UserError(f"{masks}: not a folder; give a folder with one mask per photo")
    if output.exists() and not output.is_dir():
        raise RunError(f"{output}: not a folder; give another output folder")
    painter = work.build()
    listing = list_photos(photos, output, painter.inpainter.segmenter.sources)
    output.mkdir(parents=True, exist_ok=True)
    with locked_folder(output, LOCK_FILE, "process"):
        remove_leftovers(output, deep=True)
        with made_available(photos, output, listing, FetchConfig()) as entries:
            tasks = []
            for task in make_tasks(entries):
                if masks is not None and task.entry.path.is_relative_to(masks):
                    continue  # masks among the photos
                name = f"{task.sample}.{ending}"
                mask, error = (None, "") if masks is None else _mask_of(masks, task.sample)
                if task.rejected is not None:
                    name, error = "", task.rejected.detail
                target = output / TABLE if not name else path_below(output, name)
                tasks.append(PhotoTask(task.entry, target, mask, name, None, error))
            tasks = _with_known(tasks, output, overwrite=overwrite, resume=resume)
            rows = [PaintRow(row.photo, "", "failed", row.detail) for row in listing.rejected]
            with _table(output, rows) as add:
                for row in _rows(work, painter, tasks, num_workers):
                    add(row)
                    if progress is not None:
                        progress(len(rows) - len(listing.rejected), len(tasks))
    for folder in (UNPACKED_FOLDER, FETCHED_FOLDER):
        if (output / folder).is_dir() and not any((output / folder).iterdir()):
            (output / folder).rmdir()
    return sorted(rows, key=lambda row: row.photo)


def _mask_of(masks: Path, sample: str) -> tuple[Path | None, str]:
    """Return the mask of a photo, and why there is none."""
    for ending in _MASK_ENDINGS:
        for suffix in IMAGE_SUFFIXES:
            path = on_disk(path_below(masks, f"{sample}{ending}{suffix}"))
            if path.is_file():
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
    if overwrite or not existing:
        return list(tasks)
    if not resume:
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
    """Write each row as it comes, so that a killed command can be resumed, and all sorted at the end."""
    path = path_below(output, TABLE)
    earlier = {row.photo: row for row in _read_table(path).values()}

    def add(row: PaintRow) -> None:
        rows.append(row)
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(row))

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
        lines = [f"  {row.reason}" for row in failed[:_SHOWN]]
        more = [f"  and {len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else []
        head = f"{len(failed)} of {len(rows)} photos were not painted; {output / TABLE} says why for each"
        raise DataError("\n".join([head, *lines, *more]))


ENDINGS = tuple(sorted({suffix[1:] for suffix in FORMATS} - {"jpeg"}))
"""The endings that `paint_photos` can write."""
