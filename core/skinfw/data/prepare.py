"""Turning a folder of photos into sample folders: in parallel, resumable, with a report."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import cv2
from filelock import FileLock

from skinfw.component_spec import ComponentSpec, use
from skinfw.data.photo import PICTURE_SUFFIXES
from skinfw.data.prepare_config import PrepareConfig
from skinfw.data.prepare_photo import PhotoPreparer
from skinfw.data.prepare_report import PrepareReport, Row
from skinfw.data.sample_folder import RECORD_FILE
from skinfw.data.sample_writer import writing_failed
from skinfw.errors import DataError, RunError

Progress = Callable[[int, int, Row], None]
"""Called after every photo with how many are done, how many there are, and what became of it."""

LEFT_OUT_FILE = "left_out.csv"

_AHEAD = 4


def prepare(
    root: Path,
    output: Path,
    segmenter: ComponentSpec,
    pose_encoder: ComponentSpec,
    config: PrepareConfig,
    progress: Progress | None = None,
) -> PrepareReport:
    """Turn every photo under a folder into a sample folder.

    Samples that are there already are kept as long as photo, label map, pose and settings are the same. The
    output does not depend on the number of processes.

    Args:
        root: folder of the photos, at any depth.
        output: folder of the samples, each under its photo's path without the ending; ``left_out.csv`` beside
            them says what was left out and why.
        segmenter: which segmenter.
        pose_encoder: which pose encoder.
        config: margin, crop, filters, number of processes.
        progress: told about every photo.

    Raises:
        DataError: there is no photo under ``root``, or one cannot be used and the settings say that this
            stops everything.
        RunError: the output cannot be written, for instance because the disk is full; what was finished
            stays.
        RegistryError: a component cannot be built.
    """
    preparer = PhotoPreparer(root, output, segmenter, pose_encoder, config)
    photos = find_photos(root, output, preparer)
    try:
        output.mkdir(parents=True, exist_ok=True)
        with FileLock(output / ".prepare.lock"):
            rows = []
            for row in _run(preparer, photos, segmenter, pose_encoder):
                rows.append(row)
                if progress is not None:
                    progress(len(rows), len(photos), row)
            report = PrepareReport(tuple(rows))
            report.write_left_out(output / LEFT_OUT_FILE)
    except OSError as error:
        raise writing_failed(output, error) from error
    return report


def find_photos(root: Path, output: Path, preparer: PhotoPreparer) -> list[str]:
    """Return the paths of all photos below a folder, sorted, with forward slashes.

    Label maps are no photos, nor are prepared samples, or anything below the output folder or in hidden
    folders.

    Raises:
        DataError: the folder is missing or cannot be read, or there is no photo in it.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds the photos")
    if _same(root, output):
        raise DataError(f"{output}: samples must not lie among the photos; give another output folder")

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: the folder cannot be read: {error.strerror}") from error

    found = []
    for folder, below, files in os.walk(root, onerror=refuse):
        if RECORD_FILE in files:  # a prepared sample is no photo
            below.clear()
            continue
        below[:] = [
            name for name in below if not name.startswith(".") and not _same(Path(folder, name), output)
        ]
        found += [Path(folder, name) for name in files if name.lower().endswith(PICTURE_SUFFIXES)]
    sources = {source for photo in found for source in preparer.segmenter.sources(photo)}
    photos = [photo.relative_to(root).as_posix() for photo in found if photo not in sources]
    if not photos:
        raise DataError(f"{root}: no photo in it (looked for {', '.join(PICTURE_SUFFIXES)} at any depth)")
    return sorted(photos)


def _same(folder: Path, other: Path) -> bool:
    return folder.resolve() == other.resolve()


def _sample_names(photos: list[str]) -> list[tuple[str, str, str | None]]:
    """Return each photo with its sample's name and, where that is taken, the photo that has it.

    A name is also taken when it lies inside another sample's folder.
    """
    owners: dict[str, str] = {}
    named: list[tuple[str, str, str | None]] = []
    for photo in photos:
        name = Path(photo).with_suffix("").as_posix()
        inside = [name, *(parent.as_posix() for parent in Path(name).parents)]
        owner = next((owners[part] for part in inside if part in owners), None)
        if owner is None:
            owners[name] = photo
        named.append((photo, name, owner))
    return named


def _run(
    preparer: PhotoPreparer, photos: list[str], segmenter: ComponentSpec, pose_encoder: ComponentSpec
) -> Iterator[Row]:
    config = preparer.config
    workers = min(config.workers or _cores(), len(photos))
    tasks = _sample_names(photos)
    if workers == 1:
        for photo, name, owner in tasks:
            yield _taken(photo, name, owner) if owner else preparer.prepare(photo, name)
        return
    parts = (preparer.root, preparer.output, segmenter.to_json(), pose_encoder.to_json(), config)
    # spawn: a forked copy of a process with threads may hang
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=parts)
    pending: deque[Row | Future[Row]] = deque()
    try:
        for photo, name, owner in tasks:
            pending.append(_taken(photo, name, owner) if owner else pool.submit(_work, photo, name))
            if len(pending) >= _AHEAD * workers:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
    except BrokenProcessPool as error:
        raise RunError(
            "a process of prepare ended unexpectedly: out of memory, or started from a script without "
            "if __name__ == '__main__'; run again with 1 worker to see why"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _taken(photo: str, name: str, owner: str) -> Row:
    return Row(photo, name, "left out", "name already taken", f"the sample of {owner} is in the way")


def _result(entry: Row | Future[Row]) -> Row:
    return entry if isinstance(entry, Row) else entry.result()


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_worker: PhotoPreparer | None = None


def _start_worker(
    root: Path,
    output: Path,
    segmenter: dict[str, Any],
    pose_encoder: dict[str, Any],
    config: PrepareConfig,
) -> None:
    global _worker
    # the processes share the cores among themselves already
    cv2.setNumThreads(1)
    _worker = PhotoPreparer(
        root, output, _component("segmenter", segmenter), _component("pose_encoder", pose_encoder), config
    )


def _component(kind: str, reference: dict[str, Any]) -> ComponentSpec:
    parameters = {key: value for key, value in reference.items() if key != "type"}
    return use(kind, str(reference["type"]), **parameters)


def _work(photo: str, sample: str) -> Row:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _worker.prepare(photo, sample)
