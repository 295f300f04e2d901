"""Label maps in DeepFashion's colours, read from beside the photo."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Segmentation
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter
from skinfw.paths_below import on_disk
from skinfw_plugins.segmenters.config import DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion_classes import CLASSES, PALETTES, REGIONS
from skinfw_plugins.segmenters.label_files import LabelColors, read_label_file

_LOG = logging.getLogger("skinfw")


class DeepfashionSegmenter(Segmenter[DeepfashionConfig]):
    """Reads the label map that lies beside a photo: ``NN_P_front.jpg`` has ``NN_P_front_segment.png``."""

    def __init__(self, config: DeepfashionConfig, io: None) -> None:
        super().__init__(config, io)
        self._warned = False

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the label map that belongs to a photo."""
        return (on_disk(photo.with_name(photo.stem + self.config.suffix)),)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map beside the photo.

        Raises:
            DataError: there is none, it cannot be read, is of another size than the photo, or holds a
                colour that is none of the palette's.
        """
        if photo.path is None:
            raise DataError("the deepfashion segmenter reads files: it needs a photo that lies on disk")
        (path,) = self.sources(photo.path)
        names = PALETTES[self.config.palette]
        colors = LabelColors((tuple(names),), background=0, snap_distance=self.config.snap_distance)
        found = read_label_file(path, photo, colors)
        labels = np.array([CLASSES.index(name) for name in names.values()], np.uint8)[found]
        self._check_palette(labels, path)
        return Segmentation(labels, CLASSES, REGIONS)

    def _check_palette(self, labels: LabelMap, path: Path) -> None:
        """Warn once when only the other palette puts the face above the footwear."""
        if self._warned or _upright(labels, CLASSES):
            return
        other = next(name for name in PALETTES if name != self.config.palette)
        ours = {name: color for color, name in PALETTES[self.config.palette].items()}
        renamed = tuple(PALETTES[other][ours[name]] for name in CLASSES)
        if _upright(labels, renamed):
            self._warned = True
            _LOG.warning(
                '%s: with the palette "%s" the face is not above the footwear, with "%s" it is; '
                'set the segmenter\'s palette to "%s" if the pictures come out wrong',
                path, self.config.palette, other, other,
            )  # fmt: skip


def _upright(labels: LabelMap, classes: tuple[str, ...]) -> bool:
    """Return whether face and footwear are both there, the face above the footwear."""
    face, _ = np.nonzero(labels == classes.index("face"))
    footwear, _ = np.nonzero(labels == classes.index("footwear"))
    return bool(len(face) and len(footwear) and face.mean() < footwear.mean())
