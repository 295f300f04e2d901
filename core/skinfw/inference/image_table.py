"""The table of a folder of written images, which shows what is done and lets a killed command be resumed.

One line of JSON per image.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from skinfw.components.weights import file_sha256
from skinfw.errors import DataError, RunError, counted, listed, write_error_text
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
        sha256: hash of the written image; empty if it is unknown, as a killed command may have written it.
            An unfinished image keeps the hashes of an earlier command, whose files may still be there.
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

    @property
    def is_certain(self) -> bool:
        """Whether the files must have these hashes: no command that was killed may have replaced them."""
        return bool(self.sha256) and self.status != "unfinished"

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

    def written(self) -> bool:
        """Return whether one of its files is there."""
        return self.target.exists() or (self.map is not None and self.map.exists())

    def intact(self, row: ImageRow | None) -> bool:
        """Return whether its files are as a row says; a map may be missing."""
        if row is None or not row.sha256 or not self.target.is_file():
            return False
        maps = () if self.map is None or not self.map.exists() else (file_sha256(self.map),)
        return file_sha256(self.target) == row.sha256 and all(each == row.map_sha256 for each in maps)


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
        return row.is_certain and file_sha256(path) != written

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
        if (known[task.name].is_certain or task.intact(known[task.name]))
        and (task.map is None or task.map.exists())
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

    Every task first gets a row that says that it is unfinished. If the command ends early, the row stays,
    unless the files of an earlier command are intact. An image that failed keeps such files, so its row does
    too; else nothing could be resumed.

    Args:
        table: the table.
        tasks: what is worked on.
        others: the rows of what is not.
        made: the rows of the tasks, as they are done.
        progress: called after each of these.

    Returns:
        all rows, sorted by image.

    Raises:
        RunError: the table cannot be written.
    """
    earlier = _Earlier(table, tasks)
    rows: list[ImageRow] = []

    def write(*new: ImageRow) -> None:
        try:
            with table.open("a", encoding="utf-8") as lines:
                lines.writelines(_line(row) for row in new)
        except OSError as error:
            raise RunError(f"{table}: cannot be written: {write_error_text(error)}") from error

    def add(row: ImageRow) -> None:
        rows.append(earlier.failed(row) if row.status == "failed" else row)
        write(rows[-1])

    write(*map(_unfinished, tasks))
    try:
        for row in others:
            add(row)
        for number, row in enumerate(made, 1):
            add(row)
            if progress is not None:
                progress(number, len(tasks))
    finally:
        reached = {row.image for row in rows}
        left = [earlier.left(task) for task in tasks if task.image not in reached]
        merged = {_key(row): row for row in (*earlier.rows, *left, *rows)}
        write_text(table, "".join(_line(merged[key]) for key in sorted(merged)))
    return sorted(rows, key=lambda row: row.image)


def _key(row: ImageRow) -> tuple[str, str]:
    """Return which earlier row a row replaces; two unused files of two sources may have one path."""
    return row.image, row.reason if row.status == "not used" else row.output


def _unfinished(task: ImageTask) -> ImageRow:
    """Return the row of a task that is still to be done, with the hashes of files that it may keep."""
    row = task.known or ImageRow(task.image, task.name, "unfinished")
    return replace(row, image=task.image, status="unfinished", reason="")


class _Earlier:
    """The rows of earlier commands, for the images that this one does not finish.

    Attributes:
        rows: the rows of files that this command does not write.

    Args:
        table: the table.
        tasks: what is worked on.
    """

    def __init__(self, table: Path, tasks: Sequence[ImageTask]) -> None:
        self._folder = table.parent
        self._known = _read_table(table)
        self._tasks = {task.image: task for task in tasks if task.name}
        names = {task.name for task in self._tasks.values()}
        self.rows = [row for row in self._known.values() if row.output not in names]

    def left(self, task: ImageTask) -> ImageRow:
        """Return the row of a task that was not reached."""
        row = self._intact(task.image)
        return (
            ImageRow(task.image, task.name, "unfinished") if row is None else replace(row, image=task.image)
        )

    def failed(self, new: ImageRow) -> ImageRow:
        """Return the row of an image that failed, with the files of an earlier command."""
        row, task = self._intact(new.image), self._tasks.get(new.image)
        if row is not None:
            return replace(row, image=new.image, status="failed", reason=new.reason)
        # a killed command or process may have written files
        return replace(new, output=task.name) if task is not None and task.written() else new

    def _intact(self, image: str) -> ImageRow | None:
        """Return the row of an image whose files are as it says."""
        task = self._tasks.get(image)
        if task is not None:
            row = self._known.get(task.name)
            return row if task.intact(row) else None
        there = (row for row in self.rows if path_below(self._folder, row.output).is_file())
        return next((row for row in there if row.image == image), None)


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
