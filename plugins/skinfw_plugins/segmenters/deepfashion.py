"""Label maps in DeepFashion's colors, read from files next to the photo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, Segmentation
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.config import DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion_classes import CLASSES, PALETTES, REGIONS
from skinfw_plugins.segmenters.label_files import LabelColors, beside, read_label_file
from skinfw_plugins.segmenters.label_sets import other_tables


class DeepfashionSegmenter(Segmenter[DeepfashionConfig]):
    """Reads the label map next to a photo: ``NN_P_front.jpg`` has ``NN_P_front_segment.png``."""

    computes: ClassVar[bool] = False

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the path of a photo's label map."""
        return (beside(photo, photo.with_name(photo.stem + self.config.suffix)),)

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return the other palette and, as the map may contain codes, the label sets of `label_map`."""
        ours, (name,) = PALETTES[self.config.palette], PALETTES.keys() - {self.config.palette}
        color_of = {known: color for color, known in ours.items()}
        tables = {
            f'palette "{name}"': LabelTable(
                tuple(PALETTES[name][color_of[known]] for known in CLASSES), REGIONS
            )
        }
        if tuple(ours.values()) == CLASSES:  # only then do the file's codes stay as they are
            tables |= other_tables("deepfashion", "the segmenter label_map and its labels")
        return tables

    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map next to the photo.

        Raises:
            DataError: it is missing, cannot be read, differs in size from the photo, or has a color that is
                not in the palette.
        """
        if photo.path is None:
            raise DataError("the deepfashion segmenter reads files: it needs a photo on disk")
        (labels,) = self.sources(photo.path)
        return self.read(labels, photo)

    def read(self, labels: Path, photo: Photo) -> Segmentation:
        """Return the label map of a photo from a file. See `segment` for the errors."""
        names = PALETTES[self.config.palette]
        colors = LabelColors((tuple(names),), background=0, snap_distance=self.config.snap_distance)
        found = read_label_file(labels, photo, colors, self.config.shift)
        codes = np.array([CLASSES.index(name) for name in names.values()], np.uint8)
        return Segmentation(codes[found], CLASSES, REGIONS)
