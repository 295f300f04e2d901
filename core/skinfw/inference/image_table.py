"""The table of a folder of written images, which shows what is done and lets a killed command be resumed.

One line of JSON per image.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from skinfw.components.weights import file_sha256
from skinfw.errors import DataError, RunError, counted, listed
from skinfw.system.existing import reject_existing
from skinfw.system.json_file import parse_json, read_text, write_text
from skinfw.system.paths_below import path_below

Status = Literal["painted", "repaired", "kept", "failed", "not used", "unfinished"]

Progress = Callable[[int, int], None]
"""Called with the number of finished images and the total."""

_SHOWN = 5


@dataclass(frozen=True)
class ImageRow:
    """What was done with one image, or with another file of the source: a line of the table.

    Attributes:
        image: the image's path below the source, with forward slashes.
        output: the path of the written image below the output folder; empty without one. An image that
            failed keeps the file of an earlier command.
        status: painted or repaired now, kept from an earlier command, failed, not used as it is not an image
            to work on, or unfinished as the command ended before.
        reason: why it failed or is not used.
        made_from: a hash of the files that it was made from, the model and the settings.
        sha256: hash of the written image.
        map_sha256: hash of the mask or the provenance map that was written with it; empty without one.
        report: what was done; see `skinfw.inference.painted.Painted` and `skinfw.repair.Repaired`.
    """

    image: str
    output: str
    status: Status
    reason: str = ""
    made_from: str = ""
    sha256: str = ""
    map_sha256: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class ImageTask:
    """One image to write.

    Attributes:
        image: the path below the source, see `ImageRow`.
        target: the file to write.
        name: the path of the target below the output folder; empty if it cannot be written.
        map: the file for the mask or the provenance map, or None.
        known: the row of an earlier command, whose files are all there; or None.
    """

    image: str
    target: Path
    name: str
    map: Path | None = None
    known: ImageRow | None = None

    def kept(self, made_from: str) -> ImageRow | None:
        """Return the row of an image that stays as an earlier command made it; None if it must be made.

        Args:
            made_from: the hash of what it is made from now.
        """
        if self.known is None or self.known.made_from != made_from:
            return None
        return replace(self.known, image=self.image, status="kept", reason="")


TaskT = TypeVar("TaskT", bound=ImageTask)


def with_known(tasks: Sequence[TaskT], table: Path, *, overwrite: bool, resume: bool) -> list[TaskT]:
    """Return the tasks with the rows of the files that are there.

    Args:
        tasks: what to write.
        table: the table.
        overwrite: replace existing files.
        resume: keep existing files that this table lists.

    Raises:
        RunError: files are in the way.
    """
    existing = [task for task in tasks if task.name and task.target.exists()]
    maps = [(task, task.map) for task in tasks if task.map is not None and task.map.exists()]
    if overwrite or not resume:
        files = [task.target for task in existing] + [path for _, path in maps]
        reject_existing(files, overwrite=overwrite, resumable=bool(existing))
        return list(tasks)
    known = _read_table(table)

    def is_strange(task: ImageTask, path: Path) -> bool:
        row = known.get(task.name)
        if row is None:
            return True
        written = row.sha256 if path == task.target else row.map_sha256
        # a killed command may have written the file, but not yet its row
        return row.status != "unfinished" and file_sha256(path) != written

    strange = [task.name for task in existing if is_strange(task, task.target)]
    strange += [str(path) for task, path in maps if is_strange(task, path)]
    if strange:
        raise RunError(
            f"{table.parent}: {listed(strange, _SHOWN)} was edited, or not made by this command; delete it, "
            "replace all with --overwrite, or write elsewhere"
        )
    there = {
        task.name
        for task in existing
        if known[task.name].status != "unfinished" and (task.map is None or task.map.exists())
    }
    return [replace(task, known=known[task.name]) if task.name in there else task for task in tasks]


def write_table(
    table: Path,
    tasks: Sequence[ImageTask],
    others: Iterable[ImageRow],
    made: Iterable[ImageRow],
    progress: Progress | None = None,
) -> list[ImageRow]:
    """Write each row as it comes, so that a killed command can be resumed, and all sorted at the end.

    What is to be made gets a row that says so first, and keeps it if the command ends early. An image that
    failed keeps its earlier file, so its row does too; else nothing could be resumed.

    Args:
        table: the table.
        tasks: what is worked on.
        others: the rows of what is not.
        made: the rows of the tasks, as they are done.
        progress: called after each of these.

    Returns:
        all rows, sorted by image.
    """
    earlier = {row.image: row for row in _read_table(table).values()}
    unfinished = {task.image: ImageRow(task.image, task.name, "unfinished") for task in tasks}
    rows: list[ImageRow] = []

    def write(*new: ImageRow) -> None:
        with table.open("a", encoding="utf-8") as lines:
            lines.writelines(_line(row) for row in new)

    def intact(row: ImageRow | None) -> bool:
        """Return whether a row's file is there as it was written."""
        if row is None or row.status == "unfinished":
            return False
        file = path_below(table.parent, row.output)
        return file.is_file() and file_sha256(file) == row.sha256

    def add(row: ImageRow) -> None:
        before = earlier.get(row.image)
        if row.status == "failed" and before is not None and intact(before):
            row = replace(before, status="failed", reason=row.reason)
        rows.append(row)
        write(row)

    write(*(unfinished[task.image] for task in tasks if task.known is None))
    try:
        for row in others:
            add(row)
        for number, row in enumerate(made, 1):
            add(row)
            if progress is not None:
                progress(number, len(tasks))
    finally:
        reached = {row.image for row in rows}
        left = {image: row for image, row in unfinished.items() if image not in reached}
        merged: Mapping[tuple[str, str], ImageRow] = {
            **{(row.image, ""): row for row in earlier.values()},
            **{(image, ""): row for image, row in left.items() if not intact(earlier.get(image))},
            # two unused files of two sources may have one path
            **{(row.image, row.reason if row.status == "not used" else ""): row for row in rows},
        }
        write_text(table, "".join(_line(merged[key]) for key in sorted(merged)))
    return sorted(rows, key=lambda row: row.image)


def check_rows(rows: Sequence[ImageRow], table: Path, what: Literal["photo", "result"], done: Status) -> None:
    """Raise an error if images failed, after all others were written.

    Args:
        rows: the rows.
        table: the table that they are in.
        what: what the images are.
        done: what was to be done with them.

    Raises:
        DataError: it names the first ones.
    """
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        used = sum(row.status != "not used" for row in rows)
        lines = [f"  {row.reason}" for row in failed[:_SHOWN]]
        more = [f"  and {len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else []
        head = f"{len(failed)} of {counted(used, what)} not {done}; {table} says why for each"
        raise DataError("\n".join([head, *lines, *more]))


def _read_table(path: Path) -> dict[str, ImageRow]:
    """Return the rows of earlier commands by output; damaged lines do not count."""
    if not path.is_file():
        return {}
    adapter, found = TypeAdapter(ImageRow), {}
    for line in read_text(path).splitlines():
        try:
            row = adapter.validate_python(parse_json(line, file_names=True))
        except (ValueError, ValidationError):  # half a line of a killed command
            continue
        if row.output:
            found[row.output] = row
    return found


def _line(row: ImageRow) -> str:
    return json.dumps(row.to_json()) + "\n"
