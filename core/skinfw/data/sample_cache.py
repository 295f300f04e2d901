"""A cache of decoded samples on disk, shared by all processes and runs on the same data.

A file holds one sample at the size of training, before augmentation. Its name is a hash of the sample's
content; its folder is named after everything else that decides what is loaded: data set, inputs, size, code,
libraries. A changed photo, another input or a new version therefore never meets an old file. Samples whose
files changed since they were hashed are not written.

Files are written under a temporary name and renamed, and end with a checksum: several processes may write
the same one, and a killed process leaves none that is incomplete. They are read rather than mapped into
memory: the system's page cache keeps and shares them, the memory of a process stays flat, and a failing disk
is an error instead of a signal.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import PIL

from skinfw.data.sample import Sample
from skinfw.data.sample_encoding import FORMAT, Encoding, encoding_of, header_of, intact
from skinfw.errors import RunError, UserError, write_error_text
from skinfw.system.disk_budget import DiskBudget
from skinfw.system.folders import cache_folder
from skinfw.system.json_file import write_json
from skinfw.system.leftovers import write_whole

logger = logging.getLogger("skinfw")

ABOUT_FILE = "about.json"
"""What the samples of a folder depend on, besides their content."""

LIMIT_VARIABLE = "SKINFW_CACHE_MIB"
"""The environment variable with the maximum MiB of all cached samples of a user."""

_SHARED_LIMIT = 10_240

MAX_KINDS = 64
"""Maximum combinations of types and shapes that a process knows; samples of others are not cached."""

_MEBIBYTE = 2**20
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Readable(Protocol):
    """Loads samples by name."""

    def load(self, name: str) -> Sample:
        """Return one sample, or raise `DataError`."""


class Described(Readable, Protocol):
    """Loads samples, and says what they depend on besides their content."""

    def settings(self) -> Mapping[str, Any] | None:
        """See `skinfw.interfaces.Dataset.settings`."""


class Hashed(Protocol):
    """Knows the content of samples."""

    def fingerprint(self) -> str:
        """Return a hash that changes when the data change."""

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each sample by name; empty if the data set has none."""

    def unchanged(self, name: str) -> bool:
        """See `skinfw.interfaces.Dataset.unchanged`."""


def samples_folder() -> Path:
    """Return the folder of all cached samples; it can be removed at any time."""
    return cache_folder() / "samples"


def shared_limit() -> int:
    """Return the maximum MiB of all cached samples of this user.

    Raises:
        UserError: `LIMIT_VARIABLE` is not a number.
    """
    given = os.environ.get(LIMIT_VARIABLE) or str(_SHARED_LIMIT)
    if not re.fullmatch("[0-9]{1,10}", given):
        raise UserError(f"{LIMIT_VARIABLE}: expected a whole number of MiB, found {given!r}")
    return int(given)


@dataclass(frozen=True)
class _Contents:
    """The content of each sample, as hashes."""

    fingerprint: str
    hashes: Mapping[str, str]
    unchanged: Callable[[str], bool]

    def file_name(self, name: str) -> str:
        content = self.hashes.get(name) or f"{self.fingerprint}\0{name}"
        return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()


class SampleCache:
    """Decoded samples of some data.

    Args:
        mebibytes: samples are added until all cached samples of this user have this size; 0 caches none.
        data: the data, whose hashes are computed here.

    Raises:
        UserError: `LIMIT_VARIABLE` is not a number.
    """

    def __init__(self, mebibytes: int, data: Hashed) -> None:
        self._shared = shared_limit()
        self._mebibytes = mebibytes = min(mebibytes, self._shared)
        self._contents = (
            _Contents(data.fingerprint(), data.sample_fingerprints(), data.unchanged) if mebibytes else None
        )
        self._began = time.time()
        self._opened: dict[str, Readable] = {}

    def reading(self, source: Described) -> Readable:
        """Return the samples of a source of this data, from the cache where it has them.

        Args:
            source: loads samples of the data; it may provide other fields than another source.
        """
        settings = source.settings() if self._contents is not None else None
        if settings is None or self._contents is None:
            return source
        about = {"format": FORMAT, **settings, "libraries": _libraries()}
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
        if digest not in self._opened:
            self._opened[digest] = self._open(source, digest[:16], about, self._contents)
        return self._opened[digest]

    def _open(self, source: Readable, name: str, about: Mapping[str, Any], contents: _Contents) -> Readable:
        try:
            folder = samples_folder() / name
            write_json(folder / ABOUT_FILE, about)
        except (RunError, RuntimeError) as error:  # RuntimeError: no home folder
            logger.warning("samples are decoded in every epoch: %s; set SKINFW_CACHE to a folder", error)
            return source
        everybody = self._mebibytes == self._shared  # a run's own limit removes nothing of other runs
        full = (
            f"{folder.parent}: is full: it holds {self._mebibytes:,} MiB "
            f"({LIMIT_VARIABLE if everybody else 'data.sample_cache'}) or its disk is full. Samples that do "
            "not fit are decoded in every epoch"
        )
        limit = self._mebibytes * _MEBIBYTE
        budget = DiskBudget(folder.parent, limit, self._began, full, makes_room=everybody)
        return CachedSamples(source, folder, contents, budget)


class CachedSamples:
    """Samples from files, or else from their source; each process has its own object.

    The first sample of each kind is always loaded directly, which provides the types of its fields. If the
    cache has it and it differs, the folder is removed: its samples depend on more than it is named after.

    Args:
        source: loads samples.
        folder: the folder of the files.
        contents: names the file of a sample.
        budget: limits what is written.
    """

    def __init__(self, source: Readable, folder: Path, contents: _Contents, budget: DiskBudget) -> None:
        self._source, self._folder, self._contents, self._budget = source, folder, contents, budget
        self._encodings: dict[bytes, Encoding] = {}
        self._checked: dict[str, int] = {}
        self._writes = True

    def __getstate__(self) -> dict[str, Any]:
        """Travel to other processes without the types, which a plugin may define anywhere."""
        return {**vars(self), "_encodings": {}}

    def load(self, name: str) -> Sample:
        """Return one sample.

        Raises:
            DataError: it is not cached and cannot be read.
        """
        path = f"{self._folder}{os.sep}{self._contents.file_name(name)}"  # a Path takes as long as reading
        data = self._read(name, path)
        known = None if data is None else self._encodings.get(header_of(data))
        if data is not None and known is not None:
            return known.decode(name, data)
        sample = self._source.load(name)
        encoding = self._encoding(sample)
        # after loading: what was read is then what was hashed
        if encoding is not None and self._contents.unchanged(name):
            new = encoding.encode(sample)
            if data is not None and data != new:
                self._remove()
            if data != new:
                self._write(path, new)
        return sample

    def _encoding(self, sample: Sample) -> Encoding | None:
        for known in self._encodings.values():
            if known.fits(sample):
                return known
        encoding = encoding_of(sample) if len(self._encodings) < MAX_KINDS else None
        if encoding is not None:
            self._encodings[encoding.header] = encoding
        return encoding

    def _read(self, name: str, path: str) -> bytes | None:
        try:
            file = os.open(path, _FLAGS)
        except OSError:
            return None
        try:
            state = os.fstat(file)
            data = os.read(file, state.st_size)
            if state.st_mtime < self._budget.began:  # once a run
                os.utime(path)
        except OSError:
            return None
        finally:
            os.close(file)
        if self._checked.get(name) != len(data):
            if not intact(data):
                return None
            self._checked[name] = len(data)
        return data

    def _write(self, path: str, data: bytes | bytearray) -> None:
        if not self._writes:
            return
        try:
            if self._budget.take(len(data)):
                try:
                    write_whole(path, data)
                except FileNotFoundError:  # the user removed the folder
                    self._folder.mkdir(parents=True, exist_ok=True)
                    write_whole(path, data)
        except (OSError, RunError) as error:
            self._writes = False
            reason = write_error_text(error) if isinstance(error, OSError) else error
            logger.warning(
                "%s: cannot be written: %s; samples are decoded in every epoch", self._folder, reason
            )

    def _remove(self) -> None:
        logger.warning(
            "%s: held other samples than the data set loads now; removed them. If it happens again, a data "
            "set or an input does not always return the same; set data.sample_cache to 0", self._folder,
        )  # fmt: skip
        shutil.rmtree(self._folder, ignore_errors=True)


def _libraries() -> dict[str, str]:
    """Return what decodes and resizes: its results may differ with version and processor."""
    return {
        "numpy": np.__version__,
        "opencv": f"{cv2.__version__} {cv2.getCPUFeaturesLine()}",
        "pillow": PIL.__version__,
    }
