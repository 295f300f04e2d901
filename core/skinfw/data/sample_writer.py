"""Writes sample folders completely or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from skinfw.components.field_names import APPAREL, BODY, LINE, MASK, SKIN
from skinfw.data.label_file import sample_palette
from skinfw.data.parts import PersonParts
from skinfw.data.sample_folder import KEYPOINTS_FILE, PARSING_FILE, RECORD_FILE, is_sample_folder
from skinfw.data.segmentation import LabelMap, RgbImage
from skinfw.errors import RunError, write_error_text

WRITTEN_FILES = (
    *(f"{part}.png" for part in (APPAREL, SKIN, MASK, BODY, LINE)),
    KEYPOINTS_FILE,
    PARSING_FILE,
    RECORD_FILE,
)
"""All files that skinfw writes into a sample folder; it never removes others."""

POSE_FILES = (f"{LINE}.png", KEYPOINTS_FILE)
"""Those that a sample without a pose does not have."""

_IN_WORK = re.compile(r"\.(?P<name>.+)\.(?P<state>unfinished|replaced)", re.DOTALL)


def sample_files(parts: PersonParts) -> dict[str, bytes]:
    """Return the files of a sample folder, without the record.

    The alpha channel of ``apparel_head_foot.png`` is opaque exactly in the keep mask, so white clothes differ
    from erased background.

    Args:
        parts: the person's images, with ``line`` and ``pose`` or without both.
    """
    if (parts.line is None) != (parts.pose is None):
        raise ValueError("a sample folder has both the pose and the pose map, or neither")
    alpha = parts.keep.astype(np.uint8)[..., None] * 255
    files = {
        f"{APPAREL}.png": _png(np.concatenate([parts.apparel, alpha], axis=2)),
        f"{SKIN}.png": _png(parts.skin.astype(np.uint8) * 255),
        f"{MASK}.png": _png(parts.to_inpaint.astype(np.uint8) * 255),
        f"{BODY}.png": _png(parts.body),
        PARSING_FILE: _label_png(parts.labels.labels),
    }
    if parts.line is not None and parts.pose is not None:
        files[f"{LINE}.png"] = _png(parts.line)
        files[KEYPOINTS_FILE] = (json.dumps(parts.pose.to_json()) + "\n").encode()
    return files


def _png(image: RgbImage) -> bytes:
    """Encode RGB, RGBA or gray as PNG; OpenCV is several times faster than Pillow."""
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, order[image.shape[2]])
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError("OpenCV could not encode a PNG")
    return data.tobytes()


def _label_png(labels: LabelMap) -> bytes:
    """Encode a label map as a palette PNG with a distinct color per class."""
    image = Image.fromarray(labels)
    image.putpalette(sample_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_sample(folder: Path, files: Mapping[str, bytes], record: Mapping[str, Any]) -> None:
    """Write a sample folder under a temporary name, then rename it.

    It replaces an existing folder; files there that are not in `WRITTEN_FILES` are moved to the new one.

    Args:
        folder: the sample folder.
        files: its files by name.
        record: the content of ``sample.json``; the SHA-256 of every file is added to it.

    Raises:
        RunError: the disk is full, or the path is not writable; existing files stay.
    """
    unfinished, replaced = _beside(folder, "unfinished"), _beside(folder, "replaced")
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    text = json.dumps({**record, "files": hashes}, indent=2) + "\n"
    try:
        remove_sample(unfinished)
        unfinished.mkdir(parents=True, exist_ok=True)
        for name, data in {**files, RECORD_FILE: text.encode()}.items():
            (unfinished / name).write_bytes(data)
        if folder.exists():
            # a killed run may have left the older one behind
            _move_strangers(replaced, folder)
            folder.replace(replaced)
        unfinished.replace(folder)
        _move_strangers(replaced, folder)
    except OSError as error:
        if unfinished.exists():
            remove_sample(unfinished)
        raise writing_failed(folder, error) from error


def _move_strangers(old: Path, new: Path) -> None:
    """Move files that skinfw did not write from a replaced folder to the new one, and remove the rest."""
    if old.is_dir():
        for entry in sorted(os.scandir(old), key=lambda entry: entry.name):
            if entry.name not in WRITTEN_FILES:
                Path(entry.path).replace(new / entry.name)
        remove_sample(old)


def clear_unfinished(output: Path) -> list[str]:
    """Remove samples that a killed process left unfinished below a folder, and restore the older ones.

    Returns:
        the names of the samples below the folder, which is walked through once.

    Raises:
        OSError: something cannot be moved or removed.
    """
    samples = []
    for place, below, files in os.walk(output):
        if is_sample_folder(files):
            samples.append(Path(place).relative_to(output).as_posix())
        for hidden in [name for name in below if name.startswith(".")]:
            below.remove(hidden)
            found = _IN_WORK.fullmatch(hidden)
            if found is not None:
                left, sample = Path(place, hidden), Path(place, found["name"])
                if found["state"] == "unfinished":
                    remove_sample(left)
                elif sample.exists():
                    _move_strangers(left, sample)
                else:
                    left.replace(sample)
                    below.append(sample.name)
    return samples


def _beside(folder: Path, state: str) -> Path:
    """Return the name of a folder in progress; data sets skip hidden folders."""
    return folder.with_name(f".{folder.name}.{state}")


def remove_sample(folder: Path) -> None:
    """Remove a sample folder's own files, and the folder if nothing else is in it.

    Raises:
        OSError: something cannot be removed.
    """
    for name in WRITTEN_FILES:
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def writing_failed(path: Path, error: OSError) -> RunError:
    """Return the error for something that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(
            f"{path}: the disk is full; finished samples are kept. Free space and run the same command again"
        )
    return RunError(f"{path}: cannot be written: {write_error_text(error)}")
