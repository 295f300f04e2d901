"""The test photos of the runs that trained measured segmenters."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from skinfw.components.reference import ComponentSpec
from skinfw.components.variables import expand_variables
from skinfw.data.split import Split
from skinfw.errors import DataError, UserError
from skinfw.models.named import is_named
from skinfw.runs.folder import spec_file
from skinfw.runs.split_record import read_split
from skinfw.system.json_file import read_json

logger = logging.getLogger("skinfw")


def trained_by(references: Iterable[ComponentSpec]) -> list[Path]:
    """Return the runs or checkpoints of trained components, including nested ones."""
    found = [path for each in references for path in _paths(each)]
    return list(dict.fromkeys(found))


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, ComponentSpec):
        path = value.config.trained_by()
        if path is not None:
            yield path
        yield from _paths(value.config)
    elif isinstance(value, BaseModel):
        yield from _paths([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)
    elif isinstance(value, dict):
        yield from _paths(list(value.values()))


def photos_of_tests(
    root: Path, photos: Sequence[Path], test_fraction: float, trained: Sequence[Path]
) -> list[Path]:
    """Return the photos that are test photos in the runs of all components.

    Args:
        root: the folder of the photos.
        photos: the photos.
        test_fraction: the requested fraction.
        trained: run folders, or checkpoints in them.

    Raises:
        UserError: a run has another fraction, or its folder with the recorded split is missing.
        DataError: none of the photos is a test photo of all runs.
    """
    kept = list(photos)
    for path in trained:
        split, run_root, fraction = _record(path)
        if split is None:
            raise UserError(
                f"{path}: has no record of its split, so its training photos are unknown; give the run "
                "folder, or omit --test-fraction and choose the photos yourself"
            )
        if fraction is not None and fraction != test_fraction:
            raise UserError(
                f"--test-fraction {test_fraction:g}: {path} was trained with data.test_fraction "
                f"{fraction:g}; use the same"
            )
        side = set(split.test)
        kept = [photo for photo in kept if _name(photo, root, run_root) in side]
    if not kept:
        runs = ", ".join(map(str, trained))
        raise DataError(f"{root}: none of its photos is a test photo of {runs}; use the photos of the run")
    return kept


def warn_of_trained(root: Path, photos: Sequence[Path], trained: Sequence[Path]) -> None:
    """Warn if measured photos were used in training."""
    for path in trained:
        split, run_root, fraction = _record(path)
        if split is not None:
            known = {*split.train, *split.validation}
            count = sum(_name(photo, root, run_root) in known for photo in photos)
            if count:
                logger.warning(
                    "%s was trained on %d of the %d photos; --test-fraction%s measures only its test photos",
                    path, count, len(photos), "" if fraction is None else f" {fraction:g}",
                )  # fmt: skip


def _record(path: Path) -> tuple[Split | None, Path, float | None]:
    """Return a run's split, the folder of its photos, and its test fraction; None if a file has its split."""
    if is_named(path):
        return None, path, 0.0
    folder = path if path.is_dir() else path.parent.parent
    split = read_split(folder)
    if split is None:
        return None, folder, 0.0
    file = spec_file(folder)
    try:
        data = read_json(file)["data"]
        fraction = None if data.get("split") else float(data["test_fraction"])
        return split, expand_variables(data["root"]), fraction
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{file}: is not the spec of a segmentation run ({error})") from error


def _name(photo: Path, root: Path, run_root: Path) -> str:
    """Return a photo's name in a run: below the run's training folder, or below the given one."""
    there, place = run_root.resolve(), photo.resolve()
    if place.is_relative_to(there):
        return place.relative_to(there).as_posix()
    return photo.relative_to(root).as_posix()
