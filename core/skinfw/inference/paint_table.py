"""The table of a painted folder: one line of JSON per photo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from skinfw.components.weights import file_sha256
from skinfw.errors import DataError, RunError, counted, listed
from skinfw.inference.photo_task import PaintRow, PhotoTask
from skinfw.system.existing import reject_existing
from skinfw.system.json_file import parse_json, read_text, write_text
from skinfw.system.paths_below import path_below

TABLE = "painted.jsonl"
"""The table in the output folder: one JSON object per photo, see `skinfw.inference.photo_task.PaintRow`."""

_SHOWN = 5


@contextmanager
def open_table(output: Path, rows: list[PaintRow]) -> Iterator[Callable[[PaintRow], None]]:
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


def with_known(tasks: Sequence[PhotoTask], output: Path, *, overwrite: bool, resume: bool) -> list[PhotoTask]:
    """Return the tasks with the rows of the files that are there.

    Raises:
        RunError: files are in the way.
    """
    existing = [task for task in tasks if task.name and task.target.exists()]
    shown = [task for task in tasks if task.shown is not None and task.shown.exists()]
    if overwrite or not resume:
        files = [task.target for task in existing] + [task.shown for task in shown if task.shown is not None]
        reject_existing(files, overwrite=overwrite, resumable=bool(existing))
        return list(tasks)
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
        head = f"{len(failed)} of {counted(photos, 'photo')} not painted; {output / TABLE} says why for each"
        raise DataError("\n".join([head, *lines, *more]))


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


def _line(row: PaintRow) -> str:
    return json.dumps(row.to_json()) + "\n"
