"""What to paint of a source: its photos with their masks, and where each painting goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.errors import DataError, UserError
from skinfw.inference.photo_task import TABLE, PaintWork, PhotoTask
from skinfw.preparation.task import Task
from skinfw.system.paths_below import on_disk, path_below, path_to_read

_MASK_ENDINGS = ("", "_mask")


def paint_tasks(
    work: PaintWork, named: Sequence[Task], photos: Path, masks: Path | None, ending: str
) -> list[PhotoTask]:
    """Return what to paint: every photo but those that are the masks of others.

    Raises:
        DataError: no photo is left.
        UserError: a painting would replace a given mask or a photo, or a mask that is used one of these or a
            painting.
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
        tasks.append(
            PhotoTask(
                image=task.entry.name,
                target=target,
                name=name,
                map=shown,
                entry=task.entry,
                mask=mask,
                error=error,
            )
        )
    given = {task.mask.resolve() for task in tasks if task.mask is not None}
    _reject_replaced(tasks, given.union(*same.values()))
    left = [task for task in tasks if task.entry.path.resolve() not in given]
    if not left:
        raise DataError(f"{photos}: every photo in it is the mask of another; give another folder of masks")
    return left


def _reject_replaced(tasks: Sequence[PhotoTask], inputs: Collection[Path]) -> None:
    """Raise an error if a file to write is a given mask or a photo, or two are the same.

    Args:
        tasks: what is painted.
        inputs: the masks and photos, with links followed.

    Raises:
        UserError: it names the file.
    """
    targets = {task.target.resolve(): task.target for task in tasks}
    for path, target in targets.items():
        if path in inputs:
            raise UserError(
                f"{target}: a painting would replace a given mask or a photo; write the paintings elsewhere"
            )
    for shown in (task.map for task in tasks):
        if shown is not None and (shown.resolve() in inputs or shown.resolve() in targets):
            raise UserError(
                f"{shown}: a mask that is used would replace a painting, a given mask or a photo; write the "
                "masks elsewhere"
            )


def reject_inputs(output: Path, shown: Path | None, masks: Path | None, photos: Path) -> None:
    """Raise an error if paintings or masks would be written where something else is.

    Args:
        output: file or folder of the paintings.
        shown: file or folder for the masks that are used, or None.
        masks: file or folder of the given masks, or None.
        photos: the photo, or the source of photos.

    Raises:
        UserError: it is one of them.
    """
    given = (("the given mask or masks", masks), ("the photo or photos", photos))
    written = (
        ("the painting or paintings", output, given),
        ("the masks that are used", shown, (("the output", output), *given)),
    )
    for made, path, others in written:
        for what, other in others:
            if path is not None and other is not None and path.resolve() == other.resolve():
                raise UserError(f"{path}: {made} would replace {what}; write them elsewhere")


def _mask_of(masks: Path, sample: str, photos: Collection[Path]) -> tuple[Path | None, str]:
    """Return the mask of a photo that is not itself a photo to paint, or why it has none."""
    for ending in _MASK_ENDINGS:
        for suffix in IMAGE_SUFFIXES:
            path = on_disk(path_to_read(masks, f"{sample}{ending}{suffix}"))
            if path.is_file() and path.resolve() not in photos:
                return path, ""
    return None, f"{masks / sample}: no mask of that name (looked for {sample}.png, {sample}_mask.png, ...)"
