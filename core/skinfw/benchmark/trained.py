"""Which photos the runs behind measured segmenters were tested on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from skinfw.components.reference import ComponentSpec
from skinfw.data.split import Split
from skinfw.errors import DataError, UserError
from skinfw.runs.folder import spec_file
from skinfw.runs.split_record import read_split
from skinfw.system.json_file import read_json

logger = logging.getLogger("skinfw")


def trained_by(references: Iterable[ComponentSpec]) -> list[Path]:
    """Return the runs or checkpoints that components, and the components inside them, were trained by."""
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
    """Return the photos that the runs behind all components keep for their tests.

    Args:
        root: the folder that the photos are below.
        photos: the photos.
        test_fraction: the fraction that was asked for.
        trained: run folders, or checkpoints in them.

    Raises:
        UserError: a run has another share, or its folder with the record of its split is missing.
        DataError: none of the photos is a test photo of all runs.
    """
    kept = list(photos)
    for path in trained:
        split, run_root, fraction = _record(path)
        if split is None:
            raise UserError(
                f"{path}: has no record of its split, so nobody knows which photos it was trained on; name "
                "the run folder, or leave --test-fraction away and choose the photos yourself"
            )
        if fraction != test_fraction:
            raise UserError(
                f"--test-fraction {test_fraction:g}: {path} was trained with data.test_fraction "
                f"{fraction:g}; give the same"
            )
        side = set(split.test)
        kept = [photo for photo in kept if _name(photo, root, run_root) in side]
    if not kept:
        runs = ", ".join(map(str, trained))
        raise DataError(f"{root}: none of its photos is a test photo of {runs}; name the photos of the run")
    return kept


def warn_of_trained(root: Path, photos: Sequence[Path], trained: Sequence[Path]) -> None:
    """Warn where photos that are measured were trained on."""
    for path in trained:
        split, run_root, fraction = _record(path)
        if split is not None:
            known = {*split.train, *split.validation}
            count = sum(_name(photo, root, run_root) in known for photo in photos)
            if count:
                logger.warning(
                    "%s was trained on %d of the %d photos; --test-fraction %g measures its test photos only",
                    path, count, len(photos), fraction,
                )  # fmt: skip


def _record(path: Path) -> tuple[Split | None, Path, float]:
    """Return the split of a run, the folder of its photos, and its fraction of the test."""
    folder = path if path.is_dir() else path.parent.parent
    split = read_split(folder)
    if split is None:
        return None, folder, 0.0
    file = spec_file(folder)
    try:
        data = read_json(file)["data"]
        return split, Path(data["root"]), float(data["test_fraction"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{file}: is not the spec of a segmentation run ({error})") from error


def _name(photo: Path, root: Path, run_root: Path) -> str:
    """Return a photo's name in a run: below the folder that it was trained on, or below the one given."""
    there, place = run_root.resolve(), photo.resolve()
    if place.is_relative_to(there):
        return place.relative_to(there).as_posix()
    return photo.relative_to(root).as_posix()
