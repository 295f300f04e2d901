"""Class codes from a label map file: grayscale, with a palette, or in the colors of a label set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.label_file import (
    LabelImage,
    Palette,
    gray_ramp,
    is_indexed,
    read_label_image,
    sample_palette,
)
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Mask
from skinfw.errors import DataError
from skinfw.system.paths_below import in_either_case
from skinfw_plugins.segmenters.label_colors import RGB, voc_color

_AREA = 5
_JPEG_NOISE = 4.0
"""Distance in RGB by which JPEG changes a flat area."""

_DARK = 64
"""Gray levels below are class codes rather than colors."""


@dataclass(frozen=True)
class LabelColors:
    """How to read the colors of a label map.

    Attributes:
        palettes: RGB of each class in the order of the codes, for each possible palette.
        background: the code of transparent pixels, or None if none may be transparent.
        snap_distance: maximum Euclidean distance in RGB at which a color is mapped to the nearest one.
        palette_indices: read the indices of a palette image as class codes, whatever its colors.
    """

    palettes: Sequence[Sequence[RGB]]
    background: int | None
    snap_distance: float
    palette_indices: bool = False

    @property
    def count(self) -> int:
        """Number of classes."""
        return len(self.palettes[0])


def beside(photo: Path, path: Path) -> Path:
    """Return the path of a photo's label map, with its suffix in the other case if only that is there."""
    found = in_either_case(path)
    return path if found == photo else found


def read_label_file(path: Path, photo: Photo, colors: LabelColors, shift: tuple[int, int]) -> LabelMap:
    """Read the label map of a photo.

    A grayscale image holds class codes. The indices of a palette image are class codes if each class has its
    color in a known palette, Pascal VOC's, or the gray of its code; otherwise, as in an RGB image, the colors
    must be those of the label set. Transparent pixels are background.

    Args:
        path: the label map.
        photo: the photo it belongs to.
        colors: how to read colors.
        shift: pixels to move the map down and to the right; what becomes free at an edge repeats the edge.

    Returns:
        class codes, uint8 ``(H, W)`` of the photo's size.

    Raises:
        DataError: as `skinfw.data.label_file.read_label_image`; or its size differs from the photo's, or a
            code or color belongs to no class; the message locates the first such pixel.
    """
    if not path.is_file():
        name = path.name if photo.path is None else photo.path.name
        raise DataError(
            f"{path}: the label map of {name} is missing; add it, or use a segmenter that computes one, such "
            "as skin_color"
        )
    image = read_label_image(path, photo)
    if image.size != photo.size:
        raise DataError(
            f"{path}: the label map has {image.size[0]}x{image.size[1]} pixels (height x width), its photo "
            f"{photo.size[0]}x{photo.size[1]}; their sizes must be equal"
        )
    if image.codes is not None and (
        image.colors is None or colors.palette_indices or _is_indexed(image, colors)
    ):
        return _moved(_with_background(image, image.codes, colors), shift)
    return _moved(_with_background(image, _labels_of_colors(image, colors), colors), shift)


def _moved(labels: LabelMap, shift: tuple[int, int]) -> LabelMap:
    rows, columns = (
        (np.arange(length) - by).clip(0, length - 1) for length, by in zip(labels.shape, shift, strict=True)
    )
    moved: LabelMap = labels[np.ix_(rows, columns)]
    return moved


def _is_indexed(image: LabelImage, colors: LabelColors) -> bool:
    known = [np.array(palette, np.uint8) for palette in colors.palettes]
    return is_indexed(image, (*known, _voc_palette(), sample_palette(), gray_ramp()))


@cache
def _voc_palette() -> Palette:
    return np.array([voc_color(code) for code in range(256)], np.uint8)


def _with_background(
    image: LabelImage, labels: NDArray[np.unsignedinteger[Any]], colors: LabelColors
) -> LabelMap:
    """Return codes with transparent pixels as background, after checking that all others have a class."""
    beyond = ~image.clear & (labels >= colors.count)
    if beyond.any():
        y, x = np.argwhere(beyond)[0]
        raise DataError(
            f"{image.path}: the pixel x={x}, y={y} has the class code {labels[y, x]}, but the label set ends "
            f"with {colors.count - 1}; read the map with the segmenter label_map and its label set (labels)"
        )
    if not image.clear.any():
        return labels.astype(np.uint8)
    if colors.background is None:
        raise DataError(f"{image.path}: has transparent pixels, but the label set has no background")
    hidden = image.clear & (labels < colors.count) & (labels != colors.background)
    if hidden.any():
        y, x = np.argwhere(hidden)[0]
        raise DataError(
            f"{image.path}: the pixel x={x}, y={y} is transparent and has the class code {labels[y, x]}; "
            "save the label map without transparency"
        )
    return np.where(image.clear, colors.background, labels).astype(np.uint8)


def _labels_of_colors(image: LabelImage, colors: LabelColors) -> NDArray[np.uint16]:
    """Turn a colored label map into class codes; transparent pixels of no exact color get a code beyond."""
    pixels = image.colors
    if pixels is None:
        raise ValueError("a grayscale image has no colors")
    packed = _packed(pixels)
    unique = np.unique(packed[~image.clear])
    if not len(unique):
        raise DataError(f"{image.path}: the label map is fully transparent")
    rgb = np.stack([unique >> 16, unique >> 8 & 255, unique & 255], axis=1)
    neutral = bool((rgb == rgb[:, :1]).all() and rgb.max() < _DARK)
    near = [_Nearest.of(rgb, palette) for palette in colors.palettes]
    exact = [each for each in near if not each.distances.any()]
    if not exact and neutral:
        return _codes_in_gray(image, pixels)
    fitting = exact or [each for each in near if each.distances.max() <= colors.snap_distance]
    if not fitting:
        raise _foreign(image, pixels, packed, unique, near, colors)
    if any(not np.array_equal(each.codes, fitting[0].codes) for each in fitting):
        raise DataError(
            f"{image.path}: its colors mean different classes in each palette of the label set; save the "
            "class codes as a grayscale PNG"
        )
    chosen = fitting[0]
    places = np.searchsorted(unique, packed).clip(0, len(unique) - 1)
    if not exact:
        _check_areas(image, pixels, chosen.distances[places])
    labels: NDArray[np.uint16] = chosen.codes[places].astype(np.uint16)
    labels[image.clear] = _hidden_codes(pixels[image.clear], colors)
    return labels


def _hidden_codes(rgb: NDArray[np.uint8], colors: LabelColors) -> NDArray[np.uint16]:
    """Return the codes of colors below transparent pixels; one beyond the last for those without class."""
    codes = np.full(len(rgb), colors.count, np.uint16)
    for palette in colors.palettes:
        for code, color in enumerate(palette):
            codes[(rgb == np.array(color, np.uint8)).all(axis=1)] = code
    return codes


def _packed(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    packed: NDArray[np.int32] = red << 16 | green << 8 | blue
    return packed


@dataclass(frozen=True)
class _Nearest:
    """The nearest class of each color, and its distance in RGB."""

    codes: LabelMap
    distances: NDArray[np.float64]

    @classmethod
    def of(cls, rgb: NDArray[np.int32], palette: Sequence[RGB]) -> _Nearest:
        differences = rgb[:, None].astype(np.float64) - np.array(palette, np.float64)[None]
        distances = np.linalg.norm(differences, axis=2)
        return cls(distances.argmin(axis=1).astype(np.uint8), distances.min(axis=1))


def _codes_in_gray(image: LabelImage, pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the codes of a map with the class codes in all three channels."""
    if image.palette is not None or image.lossy:
        reason = "in a lossy format" if image.lossy else "with a palette from another program"
        raise DataError(f"{image.path}: class codes {reason}; save the class codes as a grayscale PNG")
    return pixels[..., 0].astype(np.uint16)


def _check_areas(image: LabelImage, pixels: NDArray[np.uint8], distances: NDArray[np.float64]) -> None:
    """Compression changes colors at edges; a flat area of another color belongs to no class."""
    kernel = np.ones((_AREA, _AREA), np.uint8)
    even = (cv2.erode(pixels, kernel) == cv2.dilate(pixels, kernel)).all(axis=2)
    allowed = _JPEG_NOISE if image.lossy else 0.0
    wrong: Mask = even & (distances > allowed) & ~image.clear
    edge = _AREA // 2
    wrong = wrong[edge:-edge, edge:-edge]
    if wrong.any():
        y, x = np.argwhere(wrong)[0] + edge
        found = ",".join(str(value) for value in pixels[y, x])
        raise DataError(
            f"{image.path}: an area around x={x}, y={y} has the color {found}, which is close to one of the "
            "label set's, but not equal; save the class codes as a grayscale PNG"
        )


def _foreign(
    image: LabelImage,
    pixels: NDArray[np.uint8],
    packed: NDArray[np.int32],
    unique: NDArray[np.int32],
    near: Sequence[_Nearest],
    colors: LabelColors,
) -> DataError:
    best = min(near, key=lambda each: int((each.distances > colors.snap_distance).sum()))
    far = unique[best.distances > colors.snap_distance]
    y, x = np.argwhere(np.isin(packed, far) & ~image.clear)[0]
    found = ",".join(str(value) for value in pixels[y, x])
    message = (
        f"{image.path}: the pixel x={x}, y={y} has the color {found}, which is not one of the label set's "
        f"{colors.count} nor within {colors.snap_distance:g} of one"
    )
    if image.palette is not None:
        advice = (
            "if its palette indices are the class codes, read it with the segmenter label_map and "
            "palette_indices true"
        )
    elif image.lossy:
        advice = "its lossy format has changed the colors: save the original map as PNG"
    else:
        advice = (
            "choose the map's palette or label set (the segmenter label_map knows many); if it was resized, "
            "resize it without interpolation (nearest)"
        )
    return DataError(f"{message}; {advice}")
