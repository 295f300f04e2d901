"""Reading a label map from a picture: class codes, or the colours of a palette."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.data.photo import Photo, read_image, to_rgb
from skinfw.data.segmentation import LabelMap
from skinfw.errors import DataError
from skinfw_plugins.segmenters.deepfashion_classes import RGB


def read_label_file(path: Path, photo: Photo, colors: Sequence[RGB], snap_distance: float) -> LabelMap:
    """Read the label map of a photo.

    A greyscale picture holds class codes. A picture with a palette holds the classes of its colours where
    these are the label set's, and class codes otherwise. An RGB picture holds the classes of its colours.

    Args:
        path: the label map.
        photo: the photo it belongs to.
        colors: RGB of each class, in the order of the codes.
        snap_distance: largest Euclidean distance in RGB at which a colour counts as its nearest.

    Returns:
        class codes, uint8 ``(H, W)`` of the photo's size.

    Raises:
        DataError: it is missing, unreadable, of another size than the photo, or holds a code or colour of no
            class; names the first such pixel.
    """
    if not path.is_file():
        name = path.name if photo.path is None else photo.path.name
        raise DataError(
            f"{path}: the label map of {name} is missing; put it there, or use a segmenter that "
            "computes one, such as skin_colour"
        )
    image = read_image(path)
    if (image.height, image.width) != photo.size:
        raise DataError(
            f"{path}: the label map has {image.height}x{image.width} pixels (height x width), its photo "
            f"{photo.size[0]}x{photo.size[1]}; they must be of one size"
        )
    if image.mode == "L" or (image.mode == "P" and not _has_colors(image, colors, snap_distance)):
        return _checked_codes(np.asarray(image, np.uint8), len(colors), path)
    return labels_of_colors(np.asarray(to_rgb(image), np.uint8), colors, snap_distance, path)


def _has_colors(image: Image.Image, colors: Sequence[RGB], snap_distance: float) -> bool:
    """Return whether all colours that a palette picture uses are near to one of the label set's."""
    palette = np.zeros((256, 3))
    told = np.array(image.getpalette("RGB"), np.float64).reshape(-1, 3)
    palette[: len(told)] = told
    used = palette[np.flatnonzero(image.histogram())]
    return bool((_distances(used, colors).min(axis=1) <= snap_distance).all())


def _distances(rgb: NDArray[np.float64], colors: Sequence[RGB]) -> NDArray[np.float64]:
    known = np.array(colors, np.float64)
    distances: NDArray[np.float64] = np.linalg.norm(rgb[:, None] - known[None], axis=2)
    return distances


def _checked_codes(codes: LabelMap, count: int, path: Path) -> LabelMap:
    if codes.size and int(codes.max()) >= count:
        y, x = np.argwhere(codes >= count)[0]
        raise DataError(
            f"{path}: the pixel x={x}, y={y} has the class code {codes[y, x]}, but the label set ends with "
            f"{count - 1}; choose the label set that the map is of"
        )
    return codes


def labels_of_colors(
    pixels: NDArray[np.uint8], colors: Sequence[RGB], snap_distance: float, path: Path
) -> LabelMap:
    """Turn a coloured label map into class codes.

    Args:
        pixels: uint8 RGB ``(H, W, 3)``.
        colors: RGB of each class, in the order of the codes.
        snap_distance: largest Euclidean distance in RGB at which a colour counts as its nearest.
        path: the file, for errors.

    Returns:
        class codes, uint8 ``(H, W)``.

    Raises:
        DataError: a colour is farther than that from all of the palette; names the first such pixel.
    """
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    packed = red << 16 | green << 8 | blue
    unique = np.unique(packed)
    rgb = np.stack([unique >> 16, unique >> 8 & 255, unique & 255], axis=1).astype(np.float64)
    distances = _distances(rgb, colors)
    far = unique[distances.min(axis=1) > snap_distance]
    if len(far):
        y, x = np.argwhere(np.isin(packed, far))[0]
        found = ",".join(str(value) for value in pixels[y, x])
        raise DataError(
            f"{path}: the pixel x={x}, y={y} has the colour {found}, which is none of the label set's "
            f"{len(colors)} nor within {snap_distance:g} of one"
        )
    nearest = distances.argmin(axis=1).astype(np.uint8)
    labels: LabelMap = nearest[np.searchsorted(unique, packed)]
    return labels
