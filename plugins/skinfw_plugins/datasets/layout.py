"""Base of the data sets in their original folders, whose parts are prepared like photos."""

from __future__ import annotations

import hashlib
import logging
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar, TypeVar

from skinfw.components.reference import ComponentSpec
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.person_id import person_id
from skinfw.data.sample import Sample
from skinfw.errors import DataError
from skinfw.interfaces.dataset import Dataset
from skinfw.preparation.duplicates import sample_groups
from skinfw.system.paths_below import composed, without_suffix
from skinfw.system.text_list import numbered_lines, read_list
from skinfw_plugins.datasets.config import PhotosConfig
from skinfw_plugins.datasets.config_layouts import LayoutConfig
from skinfw_plugins.datasets.photos import PhotosDataset

logger = logging.getLogger("skinfw")

LayoutConfigT = TypeVar("LayoutConfigT", bound=LayoutConfig)


@dataclass(frozen=True)
class Part:
    """A folder of photos in a data set.

    Attributes:
        prefix: prefix of its samples' names.
        photos: the folder of the photos.
        segmenter: reads or makes their label maps.
        pose_encoder: reads or finds their poses.
        wanted: the names of the photos to use, without extension; None for all.
    """

    prefix: str
    photos: Path
    segmenter: ComponentSpec
    pose_encoder: ComponentSpec
    wanted: frozenset[str] | None = None


class LayoutDataset(Dataset[LayoutConfigT]):
    """Prepares the photos of one or more parts and reads them like the data set ``photos``."""

    published_by: ClassVar[str] = ""
    """What computed the label maps that belong to the data set; empty if people drew them."""

    @abstractmethod
    def parts(self) -> list[Part]:
        """Return where the photos are.

        Raises:
            DataError: a folder or a list is missing or cannot be read.
        """

    def names(self) -> Sequence[str]:
        """Return the names of all samples: part and photo without extension."""
        return list(self._places)

    def group(self, name: str) -> str:
        """Return the group of a sample, like `PhotosDataset.group`, also across parts."""
        self._place(name)
        return self._groups[name]

    @cached_property
    def _groups(self) -> Mapping[str, str]:
        folders = {name: photos.folder(within) for name, (within, photos) in self._places.items()}
        return sample_groups(folders, person_id, self.config.prepare.duplicate_distance)

    def load(self, name: str) -> Sample:
        """Read one prepared sample."""
        within, photos = self._place(name)
        return replace(photos.load(within), name=name)

    def mask_source(self, name: str) -> str:
        """Return what computed a sample's label map: a segmenter, or a network of the data set's authors."""
        within, photos = self._place(name)
        published = self.published_by if self.config.segmenter is None else ""
        return photos.mask_source(within) or published

    def fingerprint(self) -> str:
        """Return a hash of the prepared samples and of their selection."""
        digest = hashlib.sha256()
        for _, photos in self._opened:
            digest.update(f"{photos.fingerprint()}\0".encode())
        digest.update("\0".join(self.names()).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each prepared sample."""
        return {name: photos.sample_fingerprints()[within] for name, (within, photos) in self._places.items()}

    def unchanged(self, name: str) -> bool:
        """Return whether the files of a prepared sample are still those that were hashed."""
        within, photos = self._place(name)
        return photos.unchanged(within)

    @cached_property
    def _opened(self) -> list[tuple[Part, PhotosDataset]]:
        return [(part, PhotosDataset(self._photos(part), self.io)) for part in self.parts()]

    def _photos(self, part: Part) -> PhotosConfig:
        return PhotosConfig(
            root=part.photos,
            segmenter=part.segmenter,
            pose_encoder=part.pose_encoder,
            prepare=self.config.prepare,
            cache=None if self.config.cache is None else self.config.cache / part.prefix,
        )

    @cached_property
    def _places(self) -> dict[str, tuple[str, PhotosDataset]]:
        places: dict[str, tuple[str, PhotosDataset]] = {}
        for part, photos in self._opened:
            names = [name for name in photos.names() if part.wanted is None or name in part.wanted]
            places |= {part.prefix + name: (name, photos) for name in names}
            _report_missing(part, names)
        if not places:
            raise DataError(f"{self.config.root}: no photo in its lists became a sample")
        return places

    def _place(self, name: str) -> tuple[str, PhotosDataset]:
        if name not in self._places:
            raise DataError(f"{self.config.root}: has no sample {name!r}")
        return self._places[name]


def _report_missing(part: Part, names: Sequence[str]) -> None:
    """Warn about listed photos that did not become samples."""
    missing = sorted((part.wanted or frozenset()) - set(names))
    if missing:
        logger.warning(
            "%s: %d of the %d photos in its list did not become samples (missing, or in rejected.csv): %s%s",
            part.photos, len(missing), len(part.wanted or ()), ", ".join(missing[:3]),
            " and others" if len(missing) > 3 else "",
        )  # fmt: skip


def photo_folder(path: Path) -> Path:
    """Return a folder of photos.

    Raises:
        DataError: it does not exist.
    """
    if not path.is_dir():
        raise DataError(f"{path}: no such folder; give the data set's folder as unpacked")
    return path


def read_pairs(path: Path) -> frozenset[str]:
    """Return the photos of people in a list of pairs, without extension.

    Each line names a photo and a garment.

    Raises:
        DataError: the list is missing or cannot be read, or a line is not a pair.
    """
    people = set()
    for number, line in numbered_lines(read_list(path)):
        words = re.split(r"\s*[,;\t]\s*" if re.search(r"[,;\t]", line) else r"\s+", line)
        if len(words) != 2:
            raise DataError(f"{path}: line {number}: expected a photo and a garment, found {line!r}")
        people.add(composed(without_suffix(PurePosixPath(words[0].strip('"')).name, IMAGE_SUFFIXES)))
    return frozenset(people)
