"""Photos with their label maps, resized, for training a segmenter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.field_names import IMAGE, LABELS
from skinfw.components.trust import reject_unset
from skinfw.components.weights import file_sha256
from skinfw.data.classes import UNKNOWN, ClassTable, class_table
from skinfw.data.field_types import Field
from skinfw.data.photo import Photo
from skinfw.data.pixel_types import ImageType, LabelMapType
from skinfw.data.sample import Sample, resized
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter
from skinfw.preparation.duplicates import photo_groups
from skinfw.preparation.label_set_check import check_label_sets
from skinfw.preparation.label_shifts import warn_about_shift
from skinfw.preparation.shared_files import check_shared_label_maps
from skinfw.preparation.source import photos_below
from skinfw.preparation.view import View
from skinfw.specs.segmentation_spec import SegmentationData
from skinfw.system.file_state import files_state
from skinfw.system.paths_below import path_to_read
from skinfw.system.source_code import code_fingerprint


class LabeledPhotos:
    """The photos below a folder, with label maps from a segmenter.

    Args:
        data: folder, label segmenter, classes and size.

    Raises:
        RunError: a path in it needs an environment variable that is not set.
    """

    def __init__(self, data: SegmentationData) -> None:
        reject_unset(data, "$.data")
        self.data = data
        self._segmenter: Segmenter[Any] = build(data.labels, Segmenter)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        root = self.data.root
        found = photos_below(root, self._segmenter.sources)
        check_shared_label_maps(self._segmenter, found)
        return tuple(photo.relative_to(root).as_posix() for photo in found)

    @cached_property
    def classes(self) -> ClassTable:
        """The network's classes; those of the labels come from the first readable photo.

        Raises:
            DataError: no photo can be read, or the label maps use another label set.
            RunError: the spec's classes do not fit those of the label segmenter.
        """
        first: DataError | None = None
        for name in self._names:
            try:
                found = self._segmenter.segment(Photo.read(path_to_read(self.data.root, name)))
            except DataError as error:
                if self.data.on_corrupt == "fail":
                    raise
                first = first or error
            else:
                photos = [self.data.root / each for each in self._names]
                check_label_sets(self._segmenter, photos)
                warn_about_shift(self.data.root, self._segmenter, photos)
                return class_table(self.data, found)
        raise DataError(f"{self.data.root}: no photo has a readable label map; the first: {first}")

    def names(self) -> Sequence[str]:
        """Return the names of all photos, sorted.

        Raises:
            DataError: the folder is missing or holds no photos, or two photos share a label map.
        """
        return self._names

    def group(self, name: str) -> str:
        """Return the DeepFashion id in the name, or, without one, the name without extension.

        That is the group of the photo's sample in `skinfw.preparation`, so a parser and a generator trained
        on the same photos also test on the same ones. Near-duplicates share a group.
        """
        return self._groups[name]

    @cached_property
    def _groups(self) -> Mapping[str, str]:
        return photo_groups(self.data.root, self._names)

    @cached_property
    def _labels_type(self) -> LabelMapType:
        """Labels are indices into the table of classes, or `skinfw.data.classes.UNKNOWN`."""
        flipped = list(range(UNKNOWN + 1))
        for one, other in self.data.flip_classes:
            left, right = self.classes.names.index(one), self.classes.names.index(other)
            flipped[left], flipped[right] = right, left
        return LabelMapType(len(self.classes.names), tuple(flipped))

    def load(self, name: str) -> Sample:
        """Return a photo with its label map, resized, or the person in it if the spec says so.

        Raises:
            DataError: one of them cannot be read.
        """
        photo = Photo.read(path_to_read(self.data.root, name))
        segmentation = self._segmenter.segment(photo)
        if segmentation.labels.shape != photo.size:
            raise DataError(f"{photo.path}: the label map and the photo differ in size")
        pixels, labels = photo.pixels, self.classes.labels(segmentation)
        if self.data.person_margin is not None:
            view = View.of_person(segmentation.person, self.data.person_margin, self.data.size)
            view = view or View.of_photo(photo.size, self.data.size)
            background = self.classes.names.index(self.classes.regions["background"][0])
            pixels, labels = view.image(pixels), view.labels(labels, background)
        fields = {IMAGE: Field(ImageType(fill=None), pixels), LABELS: Field(self._labels_type, labels)}
        return Sample(name, resized(fields, labels.shape, self.data.size), photo.size)

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex of the photos and of their label maps' files."""
        digest = hashlib.sha256(self._segmenter.fingerprint().encode())
        for name, content in self.sample_fingerprints().items():
            digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each photo and of its label map's files; they are read once."""
        return self._hashes

    def unchanged(self, name: str) -> bool:
        """Return whether a photo and its label map's files are still those that were hashed."""
        return self._state(name) == self._hashed[name][0]

    @cached_property
    def _hashes(self) -> Mapping[str, str]:
        return {name: content for name, (_, content) in self._hashed.items()}

    @cached_property
    def _hashed(self) -> Mapping[str, tuple[str, str]]:
        """The state of each photo's files, and a hash of what was read after that."""
        return {name: (self._state(name), self._hash(name)) for name in self._names}

    def _files(self, name: str) -> tuple[Path, ...]:
        photo = self.data.root / name
        return (photo, *self._segmenter.sources(photo))

    def _state(self, name: str) -> str:
        return files_state(self._files(name))

    def _hash(self, name: str) -> str:
        digest = hashlib.sha256()
        for each in self._files(name):  # without their names: a copy has the same hash
            digest.update(f"{file_sha256(each) if each.is_file() else ''}\0".encode())
        return digest.hexdigest()

    def settings(self) -> Mapping[str, Any] | None:
        """Return everything besides the files that `load` depends on, as `skinfw.interfaces.Dataset` does."""
        code = code_fingerprint([type(self), type(self._segmenter)])
        if code is None:
            return None
        return {
            "photos": self.data.model_dump(
                mode="json", include={"root", "labels", "flip_classes", "size", "person_margin"}
            ),
            "classes": self.classes.to_json(),
            "segmenter": self._segmenter.fingerprint(),
            "code": code,
        }
