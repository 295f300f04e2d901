"""Building a contact sheet: one HTML page, a list of samples, and a small strip of images for each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from skinfw.contact_sheet.server import PAGE_FILE as PAGE_FILE
from skinfw.data.excluded import EXCLUDED_FILE, excluded, excluded_among
from skinfw.data.sample_folder import read_record
from skinfw.data.segmentation import RgbImage
from skinfw.doctor.sample_images import encoded, sample_views
from skinfw.errors import DataError, RunError
from skinfw.reporting.pages import render_page
from skinfw.system.json_file import replacing, write_text
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.paths_below import name_error, on_disk
from skinfw.system.processes import spread

SHOWN = {"photo": "photo", "map": "label map", "input": "input", "pose": "pose map", "target": "target"}
"""The images of a strip from left to right; the photo only if known."""

HEIGHT = 256
"""Maximum height of a strip in pixels."""

LIST_FILE = "samples.js"
STRIPS = "strips"

_GAP = 4

_STRIP = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{22}\.webp")
"""Pattern of a strip's path below its folder; nothing else is ever removed."""


def build_sheet(
    base: Path,
    names: Sequence[str],
    output: Path,
    *,
    photos: Path | None = None,
    num_workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a contact sheet.

    Existing strips of unchanged samples and photos are kept; strips that the sheet does not show are removed.

    Args:
        base: the folder that the names are relative to.
        names: all samples, excluded or not.
        output: the folder to write to.
        photos: the folder that the photos were prepared from; None: no photos are shown.
        num_workers: processes; None: one per available core.
        progress: called with the number of finished samples and the total.

    Returns:
        the page to open.

    Raises:
        RunError: something cannot be written.
    """
    remove_leftovers(output, deep=True)
    remove_leftovers(base, of=EXCLUDED_FILE)
    names = sorted(names)
    strip = partial(_write_strip, base=base, output=output, photos=photos)
    files = []
    for file in spread(strip, names, num_workers):
        files.append(file)
        if progress is not None:
            progress(len(files), len(names))
    sheet = {
        "title": base.name,
        # the browser's key for excluded samples
        "key": f"skinfw excluded {_digest(str(base))}",
        "shown": [legend for view, legend in SHOWN.items() if view != "photo" or photos is not None],
        "samples": [[name, file] for name, file in zip(names, files, strict=True)],
        "excluded": sorted(excluded_among(names, excluded(base))),
    }
    # a script instead of fetched JSON: pages opened from disk cannot fetch anything
    write_text(output / LIST_FILE, f"const sheet = {json.dumps(sheet)};\n")
    page = output / PAGE_FILE
    write_text(page, render_page("contact_sheet.html", list_file=LIST_FILE, excluded_file=EXCLUDED_FILE))
    _remove_others(output / STRIPS, {output / file for file in files})
    return page


def _remove_others(strips: Path, shown: set[Path]) -> None:
    """Remove the strips that the sheet does not show, and folders that become empty."""
    try:
        for path in strips.glob("*/*.webp"):
            if path not in shown and _STRIP.fullmatch(path.relative_to(strips).as_posix()):
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
    except OSError as error:
        raise RunError(f"{error.filename or strips}: cannot be removed: {error.strerror}") from error


def _write_strip(name: str, base: Path, output: Path, photos: Path | None) -> str:
    """Write the strip of a sample if it is missing or outdated; return its path below the output folder."""
    folder = base / name
    photo = None if photos is None else _photo(photos, folder)
    key = _digest(f"{folder.absolute()}\0{_state(photo)}")
    # thousands of files in one folder are slow to list
    file = f"{STRIPS}/{key[:2]}/{key}.webp"
    path = output / file
    try:
        newest = max(map(_changed, folder.iterdir()), default=0)
        if path.is_file() and path.stat().st_mtime_ns > newest:
            return file
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}") from error
    data = encoded(_strip(folder, photo))
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return file


def _changed(path: Path) -> int:
    """Return a file's modification time; for a dangling link, that of the link."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return path.lstat().st_mtime_ns


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _state(photo: Path | None) -> str:
    """Return a text that changes with the photo's path, time or size."""
    if photo is None:
        return ""
    try:
        state = photo.stat()
    except OSError:
        return str(photo.absolute())
    return f"{photo.absolute()}\0{state.st_mtime_ns}\0{state.st_size}"


def _strip(folder: Path, photo: Path | None) -> RgbImage:
    """Return the views side by side, at the same height."""
    views = sample_views(folder, HEIGHT, photo)
    shown = [views[name] for name in SHOWN if name in views]
    height = max(view.shape[0] for view in shown)
    cells: list[RgbImage] = []
    for view in shown:
        width = max(1, round(view.shape[1] * height / view.shape[0]))
        cell = cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        cells += [cell, np.full((height, _GAP, 3), 255, np.uint8)]
    return np.concatenate(cells[:-1], axis=1)


def _photo(photos: Path, folder: Path) -> Path:
    """Return the photo that a sample was made from; a nonexistent path if unknown."""
    try:
        source = str((read_record(folder) or {}).get("source", ""))
    except DataError:
        source = ""
    return photos / "unknown photo" if name_error(source) else on_disk(photos / source)
