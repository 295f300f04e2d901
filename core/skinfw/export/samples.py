"""The samples that an exported file is compared with its checkpoint on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from skinfw.assembly.assemble import build_dataset
from skinfw.assembly.inputs import dataset_io
from skinfw.components.config import Size
from skinfw.components.field_names import BODY, IMAGE
from skinfw.data.field_types import Field
from skinfw.data.photo import Photo
from skinfw.data.pixel_types import ImageType
from skinfw.data.sample import Sample, resized
from skinfw.data.sample_folder import find_image, read_sample
from skinfw.data.sample_search import find_samples
from skinfw.errors import DataError, UserError
from skinfw.preparation.source import photos_below
from skinfw.runs.folder import Run
from skinfw.runs.split_record import split_of_run
from skinfw.runs.trained import Trained
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec, Spec
from skinfw.system.paths_below import path_to_read
from skinfw.tasks.segmentation.photos import LabeledPhotos

logger = logging.getLogger("skinfw")

MAX_TEST = 32
"""Maximum number of test samples that are compared at the training size."""

MAX_OTHER = 4
"""Maximum number that are compared at each other size."""

MAX_CALIBRATION = 32
"""Maximum number of training samples that int8's ranges are measured on."""


class Samples(Protocol):
    """Reads samples of one run by name, at any size."""

    test: tuple[str, ...]
    """Names to compare, spread over the test samples."""

    calibration: tuple[str, ...]
    """Names to measure ranges on, which are not compared."""

    def load(self, name: str, size: Size) -> Sample:
        """Return a sample of a height and width in pixels."""
        ...


def samples_of(run: Trained, spec: AnySpec, folder: Path | None) -> Samples:
    """Return the samples of a run, or those in a folder.

    Args:
        run: the run, or a checkpoint without its run.
        spec: the filled spec of its checkpoint.
        folder: sample folders, or photos for a parser; None for the run's own data.

    Raises:
        DataError: the data set has none.
        UserError: a checkpoint without its run needs a folder.
    """
    if folder is not None:
        return _Photos(folder) if isinstance(spec, SegmentationSpec) else _Folders(folder, spec)
    if not isinstance(run, Run):
        raise UserError(
            f"{run.path}: a checkpoint without its run does not know its test samples; name samples to "
            "compare on with --samples (in Python: samples=...)"
        )
    return _RunPhotos(run, spec) if isinstance(spec, SegmentationSpec) else _RunSamples(run, spec)


def spread(names: Sequence[str], most: int) -> tuple[str, ...]:
    """Return at most ``most`` of the names, evenly spread.

    Example:
        >>> spread(["a", "b", "c", "d"], 2)
        ('a', 'c')
    """
    step = max(1, len(names) / most)
    return tuple(names[int(place * step)] for place in range(min(most, len(names))))


class _RunSamples:
    def __init__(self, run: Run, spec: Spec) -> None:
        split = split_of_run(run, build_dataset(spec))
        self.test = spread(split.test, MAX_TEST)
        self.calibration = spread(split.train, MAX_CALIBRATION)
        self._of_size = cache(lambda size: build_dataset(_resized(spec, size)))

    def load(self, name: str, size: Size) -> Sample:
        return self._of_size(size).load(name)


class _Folders:
    def __init__(self, folder: Path, spec: Spec) -> None:
        self._spec = spec
        self._base, names = find_samples(folder.absolute())
        self.test, self.calibration = _halves(sorted(names))

    def load(self, name: str, size: Size) -> Sample:
        io = dataset_io(_resized(self._spec, size), ())
        folder = self._base / name
        return read_sample(folder, name, io, needs_target=find_image(folder, BODY) is not None)


def _resized(spec: Spec, size: Size) -> Spec:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"size": size})})


class _RunPhotos:
    def __init__(self, run: Run, spec: SegmentationSpec) -> None:
        self._root = spec.data.root
        split = split_of_run(run, LabeledPhotos(spec.data))
        self.test = spread(split.test, MAX_TEST)
        self.calibration = spread(split.train, MAX_CALIBRATION)

    def load(self, name: str, size: Size) -> Sample:
        return _photo(path_to_read(self._root, name), name, size)


class _Photos:
    def __init__(self, folder: Path) -> None:
        self._root = folder
        names = [path.relative_to(folder).as_posix() for path in photos_below(folder, lambda _: ())]
        self.test, self.calibration = _halves(names)

    def load(self, name: str, size: Size) -> Sample:
        return _photo(path_to_read(self._root, name), name, size)


def _halves(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names to compare, and others to measure ranges on; a single one is both."""
    if not names:
        raise DataError("no samples to compare the exported file on")
    return spread(names[::2], MAX_TEST), spread(names[1::2] or names, MAX_CALIBRATION)


def _photo(path: Path, name: str, size: Size) -> Sample:
    photo = Photo.read(path)
    fields = {IMAGE: Field(ImageType(fill=None), photo.pixels)}
    return Sample(name, resized(fields, photo.size, size), photo.size)


def readable(samples: Samples, names: Sequence[str], size: Size) -> list[Sample]:
    """Return the samples that can be read, at a size.

    Raises:
        DataError: none can be read.
    """
    found: list[Sample] = []
    first: DataError | None = None
    for name in names:
        try:
            found.append(samples.load(name, size))
        except DataError as error:
            first = first or error
            logger.warning("skipped: %s", error)
    if not found:
        raise first or DataError("no samples to compare the exported file on")
    return found
