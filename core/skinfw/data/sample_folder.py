"""Reading the report's sample folder: one folder a person, one picture a part."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from skinfw.components.config import Size
from skinfw.components.faults import tell
from skinfw.components.inputs import LineStyle
from skinfw.data.cutout_file import cutout_of
from skinfw.data.face import face_classes, face_from_keypoints
from skinfw.data.image_file import DecodedImage, open_image, sides_tell
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.keypoints import Keypoints, read_openpose_json
from skinfw.data.label_file import read_labels
from skinfw.data.mask_file import mask_of
from skinfw.data.parts import PersonParts, to_sample
from skinfw.data.photo import BLACK, WHITE, flattened, picture_of
from skinfw.data.sample import APPAREL, BODY, FACE, HEATMAPS, INPUTS, LINE, SKIN, Sample
from skinfw.data.segmentation import Mask, Picture
from skinfw.data.skeleton import draw_resized_pose
from skinfw.errors import DataError
from skinfw.system.regular_file import read_regular

KEYPOINTS_FILE = "keypoints.json"
PARSING_FILE = "parsing.png"
RECORD_FILE = "sample.json"

_MAX_KEPT_SKIN = 0.9
"""Fraction of what is kept that a skin mask may cover: a mask that covers more is inverted."""


def find_picture(folder: Path, part: str) -> Path | None:
    """Return the file of a part, for instance ``body.png``, or None where the folder has none.

    Raises:
        DataError: the folder holds several files of that part.
    """
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:  # no such folder; who needs the part reports it
        return None
    found = sorted(name for name in names if _part_of(name) == part)
    if len(found) > 1:
        raise DataError(f"{folder}: holds {' and '.join(found)}; keep the one that is meant")
    return folder / found[0] if found else None


def is_sample_folder(file_names: Sequence[str]) -> bool:
    """Return whether a folder with these files is a sample: whether it has an apparel_head_foot."""
    return any(_part_of(name) == APPAREL for name in file_names)


def _part_of(name: str) -> str | None:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot + suffix.lower() in IMAGE_SUFFIXES else None


def read_sample(
    folder: Path,
    name: str,
    size: Size,
    inputs: tuple[str, ...],
    *,
    needs_skin: bool = False,
    needs_keypoints: bool = False,
    needs_target: bool = True,
) -> Sample:
    """Read a sample folder.

    Args:
        folder: the folder with ``apparel_head_foot``, ``body`` and what else ``inputs`` ask for.
        name: what the sample is called.
        size: height and width wanted, in pixels.
        inputs: names of the input pictures wanted.
        needs_skin: whether ``segmentation_skin`` must be there even if it is not an input.
        needs_keypoints: whether ``keypoints.json`` must be there.
        needs_target: whether ``body`` must be there; without it the target is what is seen of the person.

    Returns:
        the sample at that size; ``skin`` is None where the folder has no ``segmentation_skin``.

    Raises:
        DataError: a file is missing, corrupt, of another size than the others, or no mask where one
            belongs; the text names it.
    """
    unknown = sorted(set(inputs) - set(INPUTS))
    if unknown:
        raise DataError(f"{folder}: unknown input {unknown[0]!r} (a sample has: {', '.join(INPUTS)})")
    cutout = open_image(_required(folder, APPAREL))
    apparel, kept = cutout_of(cutout)
    reader = _Reader(folder, (kept.shape[0], kept.shape[1]), cutout.orientation or 1)
    parts = PersonParts(
        apparel=apparel,
        kept=kept,
        body=reader.picture(_required(folder, BODY)) if needs_target else apparel,
        skin=reader.skin(kept, required=needs_skin or SKIN in inputs),
        line=reader.line() if LINE in inputs else None,
        face=reader.face(kept) if FACE in inputs else None,
        keypoints=reader.required_keypoints() if needs_keypoints or HEATMAPS in inputs else None,
        line_style=reader.line_style() if LINE in inputs else "skeleton",
    )
    return to_sample(name, parts, size, inputs)


def _required(folder: Path, part: str) -> Path:
    found = find_picture(folder, part)
    if found is None:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such sample folder")
        raise DataError(
            f"{folder}: {part} is missing (looked for {', '.join(part + each for each in IMAGE_SUFFIXES)})"
        )
    return found


class _Reader:
    """Reads the parts beside ``apparel_head_foot`` and checks that they are of its size."""

    def __init__(self, folder: Path, size: Size, orientation: int) -> None:
        self.folder = folder
        self.size = size
        self.orientation = orientation

    def _open(self, path: Path) -> DecodedImage:
        """Open a part, and check that it has the size of the others and is turned as they are."""
        file = open_image(path)
        self._check_size(path, file.image.height, file.image.width)
        turned = max(self.orientation, file.orientation or 1)
        if (file.orientation or 1) != self.orientation and not sides_tell(turned, self.size):
            raise DataError(
                f"{path}: its EXIF orientation is {file.orientation or 1}, that of {APPAREL} beside it "
                f"{self.orientation}, so it is not certain that they are turned alike; save both upright and "
                "without the orientation"
            )
        return file

    def _check_size(self, path: Path, height: int, width: int) -> None:
        if (height, width) != self.size:
            raise DataError(
                f"{path}: {height}x{width} pixels (height x width), but {APPAREL} beside it has "
                f"{self.size[0]}x{self.size[1]}; all pictures of a sample must be of one size"
            )

    def picture(self, path: Path, background: int = WHITE) -> Picture:
        return flattened(*picture_of(self._open(path)), background)

    def skin(self, kept: Mask, *, required: bool) -> Mask | None:
        path = find_picture(self.folder, SKIN)
        if path is None:
            if required:
                raise DataError(f"{self.folder}: {SKIN} is missing, and the run needs to know the skin")
            return None
        mask = mask_of(self._open(path))
        covered = np.count_nonzero(mask & kept) / np.count_nonzero(kept)
        if covered > _MAX_KEPT_SKIN:
            raise DataError(
                f"{path}: covers {covered:.0%} of what {APPAREL} keeps; it seems to be inverted: a mask is "
                "white where the skin is and black elsewhere"
            )
        return mask

    def line(self) -> Picture:
        path = find_picture(self.folder, LINE)
        if path is not None:
            return self.picture(path, BLACK)
        keypoints = self.keypoints()
        if keypoints is None:
            raise DataError(f"{self.folder}: neither {LINE} nor {KEYPOINTS_FILE} is there to show the pose")
        return draw_resized_pose(keypoints, self.size, self.line_style())

    def line_style(self) -> LineStyle:
        """Return how prepare drew the pose; the report's own folders do not say, and show skeletons."""
        made_with = (read_record(self.folder) or {}).get("made_with")
        encoder = made_with.get("pose_encoder") if isinstance(made_with, dict) else None
        style = encoder.get("draw") if isinstance(encoder, dict) else None
        return "lines" if style == "lines" else "skeleton"

    def keypoints(self) -> Keypoints | None:
        path = self.folder / KEYPOINTS_FILE
        people = read_openpose_json(path) if path.is_file() else []
        return people[0] if people else None

    def required_keypoints(self) -> Keypoints:
        found = self.keypoints()
        if found is None:
            raise DataError(
                f"{self.folder}: {KEYPOINTS_FILE} is missing or empty; heat maps and augmentations that move "
                "pixels need the pose as keypoints, to draw it"
            )
        return found

    def face(self, kept: Mask) -> Mask:
        found = self._labeled_face()
        if found is None:
            keypoints = self.keypoints()
            found = None if keypoints is None else face_from_keypoints(keypoints, self.size)
        if found is None:
            raise DataError(
                f"{self.folder}: nothing shows where the face is; give {KEYPOINTS_FILE} with points on the "
                f"head, or {PARSING_FILE} with its classes in {RECORD_FILE}"
            )
        return found & kept

    def _labeled_face(self) -> Mask | None:
        path, record = self.folder / PARSING_FILE, read_record(self.folder)
        if record is None or not path.is_file():
            return None
        classes = [str(name) for name in record.get("classes") or ()]
        faces = face_classes(classes)
        if not faces:
            return None
        labels = read_labels(path)
        self._check_size(path, *labels.shape)
        return np.isin(labels, [classes.index(name) for name in faces])


MOST_RECORD_BYTES = 2**20
"""Size of the largest record that is read, in bytes; those of prepare have a few thousand."""


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return what ``sample.json`` records, or None where the folder has none.

    Raises:
        DataError: the file is not a JSON object.
    """
    path = folder / RECORD_FILE
    try:
        record = json.loads(read_regular(path, MOST_RECORD_BYTES).decode("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read: {error}; prepare the sample again") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}: holds no JSON object; prepare the sample again")
    try:
        _Record.model_validate(record)
    except ValidationError as error:
        raise DataError(
            f"{path}: is damaged: {'; '.join(tell(error, record))}; prepare the sample again"
        ) from error
    return record


class _Record(BaseModel):
    """What of a record is used; it may hold more."""

    classes: Annotated[list[str], Field(max_length=256)] | None = None
    regions: dict[str, list[str]] | None = None
    group: str | None = None
    source: str | None = None
    facts: dict[str, Any] | None = None
