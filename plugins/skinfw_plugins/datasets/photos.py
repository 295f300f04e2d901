"""The data set of photos: prepared once into a cache, then read as sample folders."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from skinfw.data.prepare import LEFT_OUT_FILE, prepare
from skinfw.data.sample import Sample
from skinfw.errors import DataError
from skinfw.interfaces.dataset import Dataset, DatasetIO
from skinfw_plugins.datasets.config import FolderConfig, PhotosConfig
from skinfw_plugins.datasets.folder import FolderDataset


class PhotosDataset(Dataset[PhotosConfig]):
    """Prepares photos when its samples are first asked for; what is prepared already is kept."""

    def __init__(self, config: PhotosConfig, io: DatasetIO) -> None:
        super().__init__(config, io)
        self._folder: FolderDataset | None = None

    def names(self) -> Sequence[str]:
        """Return the names of all samples: the photos' paths below the root, without their endings."""
        return self._prepared().names()

    def load(self, name: str) -> Sample:
        """Read one prepared sample."""
        return self._prepared().load(name)

    def fingerprint(self) -> str:
        """Return the hash of the prepared samples."""
        return self._prepared().fingerprint()

    def _prepared(self) -> FolderDataset:
        if self._folder is None:
            config = self.config
            cache = config.cache or default_cache(config)
            report = prepare(config.root, cache, config.segmenter, config.pose_encoder, config.prepare)
            if not report.count("made") + report.count("kept"):
                raise DataError(
                    f"{config.root}: no photo became a sample: {report.summary()}; "
                    f"{cache / LEFT_OUT_FILE} says why for each"
                )
            self._folder = FolderDataset(FolderConfig(root=cache), self.io)
        return self._folder


def default_cache(config: PhotosConfig) -> Path:
    """Return the cache folder of these photos with these settings.

    Another root or other settings get another folder; the number of processes does not count.
    """
    settings = {
        "root": str(config.root.resolve()),
        "segmenter": config.segmenter.to_json(),
        "pose_encoder": config.pose_encoder.to_json(),
        "prepare": config.prepare.model_dump(mode="json", exclude={"workers", "on_error"}),
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "prepared" / digest[:16]


def cache_folder() -> Path:
    """Return where skinfw keeps what can be made again: SKINFW_CACHE, or the user's cache folder."""
    chosen = os.environ.get("SKINFW_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "skinfw"
    variable, default = (
        ("LOCALAPPDATA", "AppData/Local") if sys.platform == "win32" else ("XDG_CACHE_HOME", ".cache")
    )
    return Path(os.environ.get(variable) or Path.home() / default) / "skinfw"
