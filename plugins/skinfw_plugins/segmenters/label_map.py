"""Label maps of any known label set, read from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, Segmentation
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.config import LabelMapConfig
from skinfw_plugins.segmenters.label_files import LabelColors, beside, read_label_file
from skinfw_plugins.segmenters.label_sets import label_set, other_tables


class LabelMapSegmenter(Segmenter[LabelMapConfig]):
    """Reads the label map of a photo: next to it, or from a folder next to or above it."""

    computes: ClassVar[bool] = False

    def __init__(self, config: LabelMapConfig, io: None) -> None:
        super().__init__(config, io)
        self._labels = label_set(config.labels)
        self._colors = LabelColors(
            self._labels.palettes(), self._labels.background(), config.snap_distance, config.palette_indices
        )

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the path of a photo's label map."""
        name = photo.stem.removesuffix(self.config.photo_suffix) + self.config.suffix
        if self.config.folder is None:
            return (beside(photo, photo.with_name(name)),)
        return (beside(photo, photo.parent / self.config.folder / name),)

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return the other known label sets."""
        return other_tables(self.config.labels)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map of the photo.

        Raises:
            DataError: as `skinfw_plugins.segmenters.label_files.read_label_file`, or the photo is not a file.
        """
        if photo.path is None:
            raise DataError("the label_map segmenter reads files: it needs a photo on disk")
        (labels,) = self.sources(photo.path)
        return self.read(labels, photo)

    def read(self, labels: Path, photo: Photo) -> Segmentation:
        """Return the label map of a photo from a file. See `segment` for the errors."""
        codes = read_label_file(labels, photo, self._colors, self.config.shift)
        return Segmentation(codes, self._labels.classes, self._labels.regions)
