"""Label maps in DeepFashion's colours, read from beside the photo."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skinfw.data.photo import Photo, read_image, to_rgb
from skinfw.data.segmentation import LabelMap, Segmentation
from skinfw.errors import DataError
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.config import DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion_classes import CLASSES, PALETTES, REGIONS, RGB

_LOG = logging.getLogger("skinfw")


class DeepfashionSegmenter(Segmenter[DeepfashionConfig]):
    """Reads the label map that lies beside a photo: ``NN_P_front.jpg`` has ``NN_P_front_segment.png``."""

    def __init__(self, config: DeepfashionConfig, io: None) -> None:
        super().__init__(config, io)
        self._warned = False

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the label map that belongs to a photo."""
        return (photo.with_name(photo.stem + self.config.suffix),)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map beside the photo.

        Raises:
            DataError: there is none, it cannot be read, is of another size than the photo, or holds a
                colour that is none of the palette's.
        """
        if photo.path is None:
            raise DataError("the deepfashion segmenter reads files: it needs a photo that lies on disk")
        (path,) = self.sources(photo.path)
        if not path.is_file():
            raise DataError(
                f"{path}: the label map of {photo.path.name} is missing; put it there, or use a segmenter "
                "that computes one"
            )
        colors = np.asarray(to_rgb(read_image(path)), np.uint8)
        if colors.shape[:2] != photo.size:
            raise DataError(
                f"{path}: the label map has {colors.shape[0]}x{colors.shape[1]} pixels (height x width), its "
                f"photo {photo.size[0]}x{photo.size[1]}; they must be of one size"
            )
        labels = labels_of(colors, PALETTES[self.config.palette], self.config.snap_distance, path)
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


def labels_of(
    colors: NDArray[np.uint8], palette: dict[RGB, str], snap_distance: float, path: Path
) -> LabelMap:
    """Turn a coloured label map into class indices.

    Args:
        colors: uint8 RGB ``(H, W, 3)``.
        palette: the class of each colour.
        snap_distance: largest Euclidean distance in RGB at which a colour counts as its nearest.
        path: the file, for errors.

    Returns:
        indices into `CLASSES`, uint8 ``(H, W)``.

    Raises:
        DataError: a colour is farther than that from all of the palette; names the first such pixel.
    """
    red, green, blue = (colors[..., channel].astype(np.int32) for channel in range(3))
    packed = red << 16 | green << 8 | blue
    unique = np.unique(packed)
    rgb = np.stack([unique >> 16, unique >> 8 & 255, unique & 255], axis=1).astype(np.float64)
    known = np.array(list(palette), np.float64)
    distances = np.linalg.norm(rgb[:, None] - known[None], axis=2)
    nearest = distances.argmin(axis=1)
    far = unique[distances.min(axis=1) > snap_distance]
    if len(far):
        y, x = np.argwhere(np.isin(packed, far))[0]
        found = ",".join(str(value) for value in colors[y, x])
        raise DataError(
            f"{path}: the pixel x={x}, y={y} has the colour {found}, which is none of "
            f"DeepFashion's sixteen nor within {snap_distance:g} of one"
        )
    classes = np.array([CLASSES.index(name) for name in palette.values()], np.uint8)
    labels: LabelMap = classes[nearest][np.searchsorted(unique, packed)]
    return labels
