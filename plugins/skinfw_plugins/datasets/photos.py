"""The data set of photos: prepared once into a cache, then read as sample folders."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from skinfw.data.excluded import excluded
from skinfw.data.person_id import person_id
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import read_sample
from skinfw.data.sample_hash import fingerprint_of
from skinfw.errors import DataError
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.preparation.duplicates import sample_groups
from skinfw.preparation.finders import Finders, Missing
from skinfw.preparation.mask_source import prepared_by
from skinfw.preparation.photo_list import is_photo_list
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import REJECTED_FILE, MadeBy, Row
from skinfw.preparation.source import list_photos
from skinfw.system.folders import cache_folder
from skinfw.system.paths_below import path_below
from skinfw_plugins.datasets.config import PhotosConfig
from skinfw_plugins.datasets.folder import HashedFolders

logger = logging.getLogger("skinfw")

SECONDS_BETWEEN_MESSAGES = 5.0


@dataclass(frozen=True)
class _Prepared:
    """Samples, the components that made them, and these components' fingerprints."""

    names: tuple[str, ...]
    made_by: MadeBy
    fingerprints: list[str]


_prepared: dict[tuple[str, str], _Prepared] = {}
"""What this process prepared, by configuration, state of the files and excluded samples."""


class PhotosDataset(Dataset[PhotosConfig]):
    """Prepares photos on first use; keeps samples that are already prepared.

    Its samples are those of the existing photos: cached samples of photos that are gone, or that the filters
    now reject, do not count.
    """

    def __init__(self, config: PhotosConfig, io: DatasetIO) -> None:
        super().__init__(config, io)
        self._cache = config.cache or default_cache(config)
        self._names: tuple[str, ...] | None = None
        self._groups: Mapping[str, str] | None = None

    def names(self) -> Sequence[str]:
        """Return the names of all samples: the photos' paths below the root, without extensions."""
        if self._names is None:
            self._names = prepared_names(self.config, self._cache)
        return self._names

    def group(self, name: str) -> str:
        """Return the group of a sample: that of its person, or of its near-duplicates.

        The DeepFashion id in the name identifies the person; see
        `skinfw.preparation.duplicates.sample_groups`.
        """
        if self._groups is None:
            most = self.config.prepare.duplicate_distance
            self._groups = sample_groups({name: self.folder(name) for name in self.names()}, person_id, most)
        return self._groups.get(name, person_id(name))

    def load(self, name: str) -> Sample:
        """Read one prepared sample."""
        self.names()
        return read_sample(self.folder(name), name, self.io)

    def mask_source(self, name: str) -> str:
        """Return the segmenter that computed a sample's label map; empty if it read a file."""
        return prepared_by(self.folder(name))

    def folder(self, name: str) -> Path:
        """Return the folder of a prepared sample."""
        return path_below(self._cache, name)

    def fingerprint(self) -> str:
        """Return the hash of the prepared samples."""
        return fingerprint_of(self.sample_fingerprints())

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each prepared sample; its files are read once."""
        return self._hashed.hashes

    def unchanged(self, name: str) -> bool:
        """Return whether the files of a prepared sample are still those that were hashed."""
        return self._hashed.unchanged(name)

    @cached_property
    def _hashed(self) -> HashedFolders:
        return HashedFolders(self._cache, self.names())


def prepared_names(config: PhotosConfig, cache: Path) -> tuple[str, ...]:
    """Prepare photos, and return the names of their samples, sorted.

    A process does this once per configuration, photos and weights that they need: the data sets of a run
    share the result.

    Raises:
        DataError: no photo became a sample.
    """
    gone = "\0".join(sorted(excluded(cache)))
    missing = Missing(config.missing_label_maps, config.missing_poses)
    finders = Finders(config.segmenter, config.pose_encoder, missing)
    key = (config.model_dump_json(), f"{_state(config.root, cache, finders)} {gone}")
    known = _prepared.get(key) if cache.is_dir() else None
    if known is None or known.fingerprints != finders.fingerprints(known.made_by):
        logger.info("preparing the photos under %s into %s", config.root, cache)
        report = prepare(
            config.root, cache, config.segmenter, config.pose_encoder, config.prepare, _Messages(),
            missing=missing,
        )  # fmt: skip
        why = f"; which and why: {cache / REJECTED_FILE}" if report.reasons() else ""
        logger.info("prepared: %s%s", report.summary(), why)
        names = sorted(row.sample for row in report.rows if row.status != "rejected")
        if not names:
            first = next((f"; the first: {row.detail}" for row in report.rejected() if row.detail), "")
            raise DataError(
                f"{config.root}: no photo became a sample: {report.summary()}; "
                f"{cache / REJECTED_FILE} says why for each{first}"
            )
        made_by = report.made_by()
        known = _prepared[key] = _Prepared(tuple(names), made_by, finders.fingerprints(made_by))
    return known.names


class _Messages:
    """Logs progress every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, done: int, total: int, row: Row) -> None:
        if time.monotonic() - self._last >= SECONDS_BETWEEN_MESSAGES:
            self._last = time.monotonic()
            logger.info("prepared %d of %d photos", done, total)


def _state(root: Path, cache: Path, finders: Finders) -> str:
    """Return a hash of what the samples of a source are made from.

    These are the names, sizes and times of its photos and of their label maps and poses, wherever they are;
    of an archive, those of the archive.
    """
    digest = hashlib.sha256()
    for path in _files(root, cache, finders):
        try:
            facts = path.stat()
        except OSError:  # prepare reports it
            continue
        line = f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\0"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(root: Path, cache: Path, finders: Finders) -> Iterator[Path]:
    """Yield an archive or a list, and the photos in a folder or a list with their label maps and poses."""
    if not root.is_dir():
        yield root
        if not (root.is_file() and is_photo_list(root)):
            return
    for entry in list_photos(root, cache, finders.segmenter.sources).entries:
        if not entry.url:
            yield entry.path
            with suppress(OSError):  # its path is too long for the file system
                yield from finders.sources(entry.path)


def default_cache(config: PhotosConfig) -> Path:
    """Return the cache folder of these photos with these settings.

    The folder depends on the root and the settings, but not on the number of processes.
    """
    others = {"label_maps": config.missing_label_maps, "poses": config.missing_poses}
    missing = {name: each.to_json() for name, each in others.items() if each is not None}
    settings = {
        "root": str(config.root.resolve()),
        "segmenter": config.segmenter.to_json(),
        "pose_encoder": None if config.pose_encoder is None else config.pose_encoder.to_json(),
        "prepare": config.prepare.model_dump(mode="json", exclude={"num_workers", "on_error", "fetch"}),
        **({"missing": missing} if missing else {}),
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "prepared" / digest[:16]
