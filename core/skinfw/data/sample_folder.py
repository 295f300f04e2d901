"""Reads the report's sample folders: one folder per person, one image per part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from skinfw.components.field_names import APPAREL, MASK, SKIN, LineStyle
from skinfw.components.validation_errors import format_errors
from skinfw.data.cutout_file import cutout_of
from skinfw.data.dataset_io import DatasetIO, to_sample
from skinfw.data.image_file import DecodedImage, sides_tell
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.keypoints import Keypoints, openpose_of
from skinfw.data.label_file import labels_of
from skinfw.data.mask_file import mask_of
from skinfw.data.parts import SampleParts, dilate
from skinfw.data.photo import WHITE, flattened, image_of
from skinfw.data.pose_file import MAX_BYTES
from skinfw.data.sample import Sample
from skinfw.data.sample_files import FolderFiles, SampleFiles
from skinfw.data.segmentation import REGIONS, Mask, RgbImage, Segmentation
from skinfw.errors import DataError

KEYPOINTS_FILE = "keypoints.json"
PARSING_FILE = "parsing.png"
RECORD_FILE = "sample.json"

_MAX_KEPT_SKIN = 0.9
"""Maximum fraction of the keep mask that a skin mask may cover: a mask that covers more is inverted."""


def find_image(folder: Path, part: str) -> Path | None:
    """Return the file of a part, for instance ``body.png``, or None if missing.

    Raises:
        DataError: the folder has several files for that part.
    """
    name = _pick(FolderFiles(folder), part)
    return None if name is None else folder / name


def _pick(files: SampleFiles, part: str) -> str | None:
    found = sorted(name for name in files.names if _part_of(name) == part)
    if len(found) > 1:
        raise DataError(f"{files.where}: contains {' and '.join(found)}; keep only one")
    return found[0] if found else None


def is_sample_folder(file_names: Sequence[str]) -> bool:
    """Return whether a folder with these files is a sample, that is, has an apparel_head_foot."""
    return any(_part_of(name) == APPAREL for name in file_names)


def _part_of(name: str) -> str | None:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot + suffix.lower() in IMAGE_SUFFIXES else None


def read_sample(folder: Path, name: str, io: DatasetIO, *, needs_target: bool = True) -> Sample:
    """Read a sample folder.

    Args:
        folder: the folder with ``apparel_head_foot``, ``body`` and other requested parts.
        name: the sample's name.
        io: the requested size and inputs.
        needs_target: whether ``body`` is required; without it the agnostic image is the target.

    Raises:
        DataError: a file is missing, corrupt, has another size than the others, or is not a valid mask;
            the message names it.
    """
    return to_sample(name, FolderParts(folder, io.mask_margin), io, needs_target=needs_target)


class FileParts(SampleParts):
    """The files of a sample, each read on demand.

    Args:
        files: the files.
        mask_margin: pixels around the skin that may be inpainted if the sample has no ``mask``.

    Raises:
        DataError: ``apparel_head_foot`` is missing or cannot be read.
    """

    def __init__(self, files: SampleFiles, mask_margin: int = 0) -> None:
        self.files = files
        self.mask_margin = mask_margin
        self.where = str(files.where)
        name = self._find(APPAREL)
        if name is None:
            raise DataError(self.lacks(APPAREL))
        cutout = files.image(name)
        self._orientation = cutout.orientation or 1
        self.apparel, self.keep = cutout_of(cutout)
        self._masks: dict[str, Mask | None] = {}

    def lacks(self, name: str) -> str:
        """Return the error for a missing image or mask, with the accepted file names."""
        looked_for = ", ".join(name + suffix for suffix in IMAGE_SUFFIXES)
        return f"{self.where}: {name} is missing (looked for {looked_for})"

    def _find(self, part: str) -> str | None:
        return _pick(self.files, part)

    @cached_property
    def _record(self) -> dict[str, Any] | None:
        return record_of(self.files)

    def inpainting_mask(self) -> Mask:
        """Return ``mask``, or, without it, the most likely mask.

        Samples without a ``mask``, such as the report's, do not say what was erased. It is assumed to be the
        skin, with ``mask_margin`` pixels around it that are not kept; or everything that is not kept if the
        skin is unknown.
        """
        found = self.mask(MASK)
        if found is not None:
            return found
        skin = self.mask(SKIN)
        if skin is None:
            return ~self.keep
        return skin | (dilate(skin, self.mask_margin) & ~self.keep)

    def line_style(self) -> LineStyle:
        """Return how prepare drew the pose; the report's folders do not say, and show skeletons."""
        made_with = (self._record or {}).get("made_with")
        encoder = made_with.get("pose_encoder") if isinstance(made_with, dict) else None
        style = encoder.get("draw") if isinstance(encoder, dict) else None
        return "lines" if style == "lines" else "skeleton"

    def _open(self, name: str) -> DecodedImage:
        """Open a part, and check that it has the size and rotation of the others."""
        path, file = self.files.where / name, self.files.image(name)
        self._check_size(path, file.image.height, file.image.width)
        turned = max(self._orientation, file.orientation or 1)
        if (file.orientation or 1) != self._orientation and not sides_tell(turned, self.size):
            raise DataError(
                f"{path}: its EXIF orientation is {file.orientation or 1}, that of {APPAREL} is "
                f"{self._orientation}, so it is unclear if both have the same rotation; save both upright "
                "and without the orientation"
            )
        return file

    def _check_size(self, path: Path, height: int, width: int) -> None:
        if (height, width) != self.size:
            raise DataError(
                f"{path}: {height}x{width} pixels (height x width), but {APPAREL} has "
                f"{self.size[0]}x{self.size[1]}; all images of a sample must have the same size"
            )

    def image(self, name: str, background: int = WHITE) -> RgbImage | None:
        """Read an image. See `SampleParts.image`."""
        file = self._find(name)
        return None if file is None else flattened(*image_of(self._open(file)), background)

    def mask(self, name: str) -> Mask | None:
        """Read a mask, once. See `SampleParts.mask`."""
        if name not in self._masks:
            self._masks[name] = self._read_mask(name)
        return self._masks[name]

    def _read_mask(self, name: str) -> Mask | None:
        file = self._find(name)
        if file is None:
            return None
        mask = mask_of(self._open(file))
        covered = np.count_nonzero(mask & self.keep) / np.count_nonzero(self.keep)
        if name in (SKIN, MASK) and covered > _MAX_KEPT_SKIN:
            raise DataError(
                f"{self.files.where / file}: covers {covered:.0%} of what {APPAREL} keeps; it seems to be "
                f"inverted: {name} must be white where it is set and black elsewhere"
            )
        return mask

    def segmentation(self) -> Segmentation | None:
        """Read the label map once, with its classes from the record. See `SampleParts.segmentation`."""
        return self._segmentation

    @cached_property
    def _segmentation(self) -> Segmentation | None:
        path, record = self.files.where / PARSING_FILE, self._record
        if record is None or not self.files.has(PARSING_FILE):
            return None
        classes = tuple(str(name) for name in record.get("classes") or ())
        labels = labels_of(self.files.image(PARSING_FILE))
        self._check_size(path, *labels.shape)
        regions = {
            region: tuple(names)
            for region, names in (record.get("regions") or {}).items()
            if region in REGIONS
        }
        try:
            return Segmentation(labels, classes, regions)
        except ValueError as error:
            raise DataError(
                f"{path}: does not match {RECORD_FILE}: {error}; prepare the sample again"
            ) from error

    def keypoints(self) -> Keypoints | None:
        """Read the pose once. See `SampleParts.keypoints`."""
        return self._keypoints

    @cached_property
    def _keypoints(self) -> Keypoints | None:
        if not self.files.has(KEYPOINTS_FILE):
            return None
        path = self.files.where / KEYPOINTS_FILE
        try:
            data = self.files.read(KEYPOINTS_FILE, MAX_BYTES)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        people = openpose_of(data, path)
        return people[0] if people else None

    def file(self, name: str) -> Path | None:
        """Return the path of a file of the sample. See `SampleParts.file`.

        Raises:
            DataError: it is in a subfolder, whose files are not part of the sample's fingerprint.
        """
        if "/" in name:
            raise DataError(f"{self.where}: {name!r} is in a subfolder; keep all files of a sample together")
        return self.files.path(name) if self.files.has(name) else None


class FolderParts(FileParts):
    """The files of a sample folder, each read on demand.

    Args:
        folder: the sample folder.
        mask_margin: pixels around the skin that may be inpainted if the sample has no ``mask``.

    Raises:
        DataError: the folder or its ``apparel_head_foot`` is missing or cannot be read.
    """

    def __init__(self, folder: Path, mask_margin: int = 0) -> None:
        files = FolderFiles(folder)
        if not files.names and not folder.is_dir():
            raise DataError(f"{folder}: no such sample folder")
        super().__init__(files, mask_margin)


MAX_RECORD_BYTES = 2**20
"""Maximum size of a record in bytes; prepare writes a few thousand."""


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the content of ``sample.json``, or None if missing.

    Raises:
        DataError: the file is not a JSON object.
    """
    return record_of(FolderFiles(folder))


def record_of(files: SampleFiles) -> dict[str, Any] | None:
    """Return the content of a sample's ``sample.json``; see `read_record`."""
    path = files.where / RECORD_FILE
    try:
        record = json.loads(files.read(RECORD_FILE, MAX_RECORD_BYTES).decode("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read: {error}; prepare the sample again") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}: contains no JSON object; prepare the sample again")
    try:
        _Record.model_validate(record)
    except ValidationError as error:
        raise DataError(
            f"{path}: is damaged: {'; '.join(format_errors(error, record))}; prepare the sample again"
        ) from error
    return record


class _Record(BaseModel):
    """The used fields of a record; it may have more."""

    classes: Annotated[list[str], Field(max_length=256)] | None = None
    regions: dict[str, list[str]] | None = None
    group: str | None = None
    source: str | None = None
    facts: dict[str, Any] | None = None
