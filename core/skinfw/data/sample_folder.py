"""Reading the report's sample folder: one folder a person, one picture a part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skinfw.config import Size
from skinfw.data.face import face_classes, face_from_keypoints
from skinfw.data.keypoints import Keypoints, read_openpose_json
from skinfw.data.parts import PersonParts, to_sample
from skinfw.data.photo import read_image, to_rgb
from skinfw.data.resize import blank_outside
from skinfw.data.sample import APPAREL, BODY, FACE, HEATMAPS, INPUTS, LINE, SKIN, Sample
from skinfw.data.segmentation import LabelMap, Mask, Picture
from skinfw.data.skeleton import draw_resized_pose
from skinfw.errors import DataError
from skinfw.inputs import LineStyle

SUFFIXES = (".png", ".jpg", ".jpeg")
"""What the pictures of a sample folder may end with; the first one found counts."""

KEYPOINTS_FILE = "keypoints.json"
PARSING_FILE = "parsing.png"
RECORD_FILE = "sample.json"

WHITE_TOLERANCE = 16
"""Without an alpha channel, pixels at most this far below 255 in every channel count as erased: JPEG does not
keep white exactly white."""

_GREY_MARGIN = 64
_GREY_SHARE = 0.05


def find_picture(folder: Path, part: str) -> Path | None:
    """Return the file of a part, for instance ``body.png``, or None where the folder has none."""
    candidates = (folder / f"{part}{suffix}" for suffix in SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def is_sample_folder(file_names: Sequence[str]) -> bool:
    """Return whether a folder with these files is a sample: whether it has an apparel_head_foot."""
    return any(f"{APPAREL}{suffix}" in file_names for suffix in SUFFIXES)


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
        needs_skin: whether ``segmentation_skin`` must be there even if it is no input.
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
    apparel, kept = read_cutout(_required(folder, APPAREL))
    reader = _Reader(folder, (kept.shape[0], kept.shape[1]))
    parts = PersonParts(
        apparel=apparel,
        kept=kept,
        body=reader.picture(_required(folder, BODY)) if needs_target else apparel,
        skin=reader.skin(required=needs_skin or SKIN in inputs),
        line=reader.line() if LINE in inputs else None,
        face=reader.face(kept) if FACE in inputs else None,
        keypoints=reader.required_keypoints() if needs_keypoints or HEATMAPS in inputs else None,
        line_style=reader.line_style() if LINE in inputs else "skeleton",
    )
    return to_sample(name, parts, size, inputs)


def read_cutout(path: Path) -> tuple[Picture, Mask]:
    """Read a picture with an erased background.

    What is kept is told by the alpha channel; a picture without one (the report's JPEG files) keeps all
    pixels that are not nearly white. As white clothes cannot be told from background then, no pixel of such
    a picture is changed.

    Returns:
        the picture, uint8 RGB ``(H, W, 3)``, with white where it is transparent, and what is kept, bool
        ``(H, W)``.

    Raises:
        DataError: the file cannot be read.
    """
    image = read_image(path)
    if "A" in image.getbands() or "transparency" in image.info:
        layers = np.asarray(image.convert("RGBA"), np.uint8)
        kept = layers[..., 3] >= 128
        return blank_outside(layers[..., :3], kept), kept
    picture = np.asarray(to_rgb(image), np.uint8)
    return picture, picture.min(axis=2) < 255 - WHITE_TOLERANCE


def read_mask(path: Path) -> Mask:
    """Read a mask picture: white where it is set, black elsewhere, bool ``(H, W)``.

    Raises:
        DataError: the file cannot be read, or is no black-and-white picture.
    """
    values = np.asarray(to_rgb(read_image(path)), np.uint8)
    lightest, darkest = values.max(axis=2), values.min(axis=2)
    between = (lightest >= _GREY_MARGIN) & (darkest < 256 - _GREY_MARGIN)
    share = float(between.mean())
    if share > _GREY_SHARE:
        raise DataError(
            f"{path}: {share:.0%} of its pixels are neither black nor white; "
            "a mask is white where the skin is and black elsewhere"
        )
    return values[..., 1] >= 128


def _required(folder: Path, part: str) -> Path:
    found = find_picture(folder, part)
    if found is None:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such sample folder")
        raise DataError(f"{folder}: {part} is missing (looked for {', '.join(part + s for s in SUFFIXES)})")
    return found


class _Reader:
    """Reads the parts beside ``apparel_head_foot`` and checks that they are of its size."""

    def __init__(self, folder: Path, size: Size) -> None:
        self.folder = folder
        self.size = size

    def _check_size(self, path: Path, height: int, width: int) -> None:
        if (height, width) != self.size:
            raise DataError(
                f"{path}: {height}x{width} pixels (height x width), but {APPAREL} beside it has "
                f"{self.size[0]}x{self.size[1]}; all pictures of a sample must be of one size"
            )

    def picture(self, path: Path) -> Picture:
        pixels = np.asarray(to_rgb(read_image(path)), np.uint8)
        self._check_size(path, *pixels.shape[:2])
        return pixels

    def skin(self, *, required: bool) -> Mask | None:
        path = find_picture(self.folder, SKIN)
        if path is None:
            if required:
                raise DataError(f"{self.folder}: {SKIN} is missing, and the run needs to know the skin")
            return None
        mask = read_mask(path)
        self._check_size(path, *mask.shape)
        return mask

    def line(self) -> Picture:
        path = find_picture(self.folder, LINE)
        if path is not None:
            return self.picture(path)
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
        found = self._labelled_face()
        if found is None:
            keypoints = self.keypoints()
            found = None if keypoints is None else face_from_keypoints(keypoints, self.size)
        if found is None:
            raise DataError(
                f"{self.folder}: nothing tells where the face is; give {KEYPOINTS_FILE} with points on the "
                f"head, or {PARSING_FILE} with its classes in {RECORD_FILE}"
            )
        return found & kept

    def _labelled_face(self) -> Mask | None:
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


def read_labels(path: Path) -> LabelMap:
    """Read a label map of class indices, uint8 ``(H, W)``.

    Raises:
        DataError: the file cannot be read, or is no palette or greyscale picture.
    """
    image = read_image(path)
    if image.mode not in ("P", "L"):
        raise DataError(f"{path}: a label map of class indices is a palette PNG, this one is {image.mode}")
    return np.asarray(image, np.uint8)


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return what ``sample.json`` records, or None where the folder has none.

    Raises:
        DataError: the file is no JSON object.
    """
    path = folder / RECORD_FILE
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read: {error}; prepare the sample again") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}: holds no JSON object; prepare the sample again")
    return record
