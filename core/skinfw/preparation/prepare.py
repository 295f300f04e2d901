"""Turning photos into sample folders: in parallel, resumable, with a report."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from skinfw.components.reference import ComponentSpec
from skinfw.data.excluded import excluded, excluded_among
from skinfw.data.sample_writer import clear_unfinished, writing_failed
from skinfw.errors import DataError
from skinfw.preparation.available import FETCHED_FOLDER, made_available
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.duplicates import SeenPhotos
from skinfw.preparation.finders import NONE_FOUND, Missing
from skinfw.preparation.label_shifts import warn_about_shift
from skinfw.preparation.listing import Entry
from skinfw.preparation.preparer import PhotoPreparer
from skinfw.preparation.preparer_arguments import PreparerArguments
from skinfw.preparation.record import remove_prepared
from skinfw.preparation.report import REJECTED_FILE, PrepareReport, Row
from skinfw.preparation.set_check import SetCheck
from skinfw.preparation.shared_files import check_shared_label_maps, check_shared_poses
from skinfw.preparation.source import list_photos
from skinfw.preparation.task import Task, make_tasks
from skinfw.system.bar import progress_bar
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import FolderLock
from skinfw.system.paths_below import path_below
from skinfw.system.workers import Engine, work_on

Progress = Callable[[int, int, Row], None]
"""Called after every photo with the number of finished photos, the total, and the result."""

LOCK_FILE = ".prepare.lock"

logger = logging.getLogger("skinfw")


def prepare(
    root: Path,
    output: Path,
    segmenter: ComponentSpec,
    pose_encoder: ComponentSpec | None,
    config: PrepareConfig,
    progress: Progress | bool = False,
    engine: Engine = "local",
    address: str | None = None,
    missing: Missing = NONE_FOUND,
) -> PrepareReport:
    """Turn every photo of a source into a sample folder.

    Existing samples are kept if photo, label map, pose and settings are unchanged. The output does not depend
    on the engine or the number of processes. A photo is rejected if a component fails on it or a process
    dies. If another process is preparing into the same folder, this one waits and logs it: runs of one
    ablation share their samples.

    Args:
        root: folder of the photos, at any depth; a .zip or .tar of such a folder; or a list of paths and
            URLs (.csv, .tsv, .jsonl, .txt), see `skinfw.preparation.photo_list.read_photo_list`.
        output: folder of the samples, each under its photo's path without extension; ``rejected.csv`` lists
            what was rejected and why.
        segmenter: the segmenter.
        pose_encoder: the pose encoder; None for samples without poses.
        config: margin, crop, filters, number of processes.
        progress: called after every photo; True shows a bar, as the command does.
        engine: processes on this machine, or a Ray cluster whose nodes share photos and output under the same
            paths.
        address: the cluster, as for ``ray.init``; None for the one that Ray finds, or a new local one.
        missing: what finds label maps and poses of photos without the files that ``segmenter`` and
            ``pose_encoder`` read; by default such photos are rejected. The record of each sample
            (``sample.json``) names the components that made it.

    Raises:
        DataError: ``root`` has no photos, two photos share a label map or a pose file, the label maps of most
            photos are implausible, or a photo is unusable and the settings stop at errors.
        RunError: the output cannot be written, for example because the disk is full; finished samples stay.
        RegistryError: a component cannot be built.
        UserError: Ray is not installed.
    """
    if progress is True:
        with progress_bar("prepare") as bar:
            return prepare(
                root,
                output,
                segmenter,
                pose_encoder,
                config,
                lambda done, total, _: bar(done, total),
                engine,
                address,
                missing,
            )
    if os.path.lexists(output) and not output.is_dir():
        raise DataError(f"{output}: not a folder; give another output folder")
    preparer = PhotoPreparer(output, segmenter, pose_encoder, config, missing)
    listing = list_photos(root, output, preparer.finders.segmenter.sources)
    if listing.rejected and config.on_error == "fail":
        raise DataError(listing.rejected[0].detail)
    optional = (pose_encoder, missing.label_maps, missing.poses)
    encoder, label_maps, poses = (None if each is None else each.to_json() for each in optional)
    parts = PreparerArguments(output, segmenter.to_json(), encoder, label_maps, poses, config, Path.cwd())
    try:
        output.mkdir(parents=True, exist_ok=True)
        with (
            _locked(output) as before,
            made_available(root, output, listing, config.fetch) as available,
        ):
            gone = excluded(output)
            tasks = make_tasks(available, gone)
            accepted = [task.entry.path for task in tasks if task.rejected is None]
            check_shared_label_maps(preparer.finders.segmenter, accepted, listing.others)
            if preparer.finders.pose_encoder is not None:
                check_shared_poses(preparer.finders.pose_encoder, accepted)
            _remove_stale(preparer, tasks)
            made = work_on(parts, tasks, preparer, config.num_workers, engine=engine, address=address)
            rows: list[Row] = []
            labels = SetCheck(preparer.finders.checked())
            try:
                for row in _without_duplicates(made, output, config):
                    rows.append(row)
                    if progress:
                        progress(len(rows), len(tasks), row)
                    if config.check_labels:
                        labels.add(row)
                labels.check()
            except DataError:
                PrepareReport(tuple(rows)).write_rejected(output / REJECTED_FILE)
                raise
            samples = {row.photo for row in rows if row.status != "rejected"}
            photos = [task.entry.path for task in tasks if task.entry.name in samples]
            warn_about_shift(root, preparer.finders.segmenter, photos)
            rows += listing.rejected
            not_used = listing.not_used(_used(preparer, available))
            others = _other_samples(output, before, rows, gone)
            report = PrepareReport(tuple(rows), tuple(not_used), others)
            report.write_rejected(output / REJECTED_FILE)
    except OSError as error:
        raise writing_failed(output, error) from error
    return report


def _used(preparer: PhotoPreparer, entries: Iterable[Entry]) -> set[Path]:
    """Return the files that belong to photos."""
    used: set[Path] = set()
    for entry in entries:
        with suppress(OSError):  # the path is too long for the file system
            used.update(preparer.finders.sources(entry.path))
    return used


def _other_samples(
    output: Path, before: Iterable[str], rows: Iterable[Row], gone: Collection[str]
) -> tuple[str, ...]:
    """Return which earlier samples in a folder are still there, not excluded, and of other photos."""
    others = set(before) - {row.sample for row in rows if row.status != "rejected"}
    left = others - excluded_among(others, gone)
    return tuple(sorted(name for name in left if (output / name).is_dir()))


def _remove_stale(preparer: PhotoPreparer, tasks: Sequence[Task]) -> None:
    """Remove earlier samples of photos whose sample names are now taken, but not by the photos themselves."""
    accepted = {(task.entry.name, task.sample) for task in tasks if task.rejected is None}
    for task in tasks:
        taken = task.rejected is not None and task.rejected.reason == "name already taken"
        if taken and (task.entry.name, task.sample) not in accepted:
            preparer.remove_stale(task.entry, task.sample)


@contextmanager
def _locked(output: Path) -> Iterator[list[str]]:
    """Lock a folder for preparation, and yield the samples in it; a second process waits."""
    lock = FolderLock(output / LOCK_FILE)
    if not lock.acquire(0):
        logger.warning("%s: another process is preparing photos into it; waiting until it is done", output)
        lock.acquire(-1)
    try:
        yield _clear(output)
    finally:
        lock.release()


def _clear(output: Path) -> list[str]:
    """Remove incomplete files of a killed process, and return the samples.

    Unpacked files are removed when photos are unpacked.
    """
    remove_leftovers(output)
    for part in (output / FETCHED_FOLDER).glob(".*.part"):
        part.unlink()
    return clear_unfinished(output)


def _without_duplicates(rows: Iterable[Row], output: Path, config: PrepareConfig) -> Iterator[Row]:
    """Reject near-duplicates of earlier photos, if configured."""
    seen = SeenPhotos(config.duplicate_distance)
    for row in rows:
        if config.duplicates == "keep" or not row.phash:
            yield row
            continue
        near_duplicate = seen.near_duplicate(row.phash)
        if near_duplicate is None:
            seen.add(row.photo, row.phash)
            yield row
        else:
            remove_prepared(path_below(output, row.sample))
            detail = f"near-duplicate of {near_duplicate[0]} ({near_duplicate[1]} of 64 bits differ)"
            yield Row(row.photo, row.sample, "rejected", "duplicate", detail)
