"""Reads label maps: the values or colors exactly as stored, or an error with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.data.image_file import DecodedImage, decoding, open_image, sides_tell, turned_upright
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Mask
from skinfw.errors import DataError

Palette = NDArray[np.uint8]

_AS_GRAY = "save the class codes as a grayscale PNG"


@dataclass(frozen=True)
class LabelImage:
    """The content of a label map file.

    Attributes:
        path: the file.
        codes: the stored values, uint16 ``(H, W)``, or None for an RGB image.
        colors: the stored colors, uint8 RGB ``(H, W, 3)``, or None for a grayscale image.
        palette: the color of each code of a palette image, uint8 ``(256, 3)``, or None.
        clear: the fully transparent pixels, bool ``(H, W)``; all others are opaque.
        lossy: whether the format may have changed the colors.
    """

    path: Path
    codes: NDArray[np.uint16] | None
    colors: NDArray[np.uint8] | None
    palette: Palette | None
    clear: Mask
    lossy: bool

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.clear.shape[0], self.clear.shape[1]


def read_label_image(path: Path, photo: Photo | None = None) -> LabelImage:
    """Read a label map file without interpreting its values.

    Args:
        path: the file.
        photo: its photo. If the photo was rotated by its EXIF orientation and the map has the size of the
            unrotated photo, the map is rotated as well.

    Raises:
        DataError: as `skinfw.data.image_file.open_image`; or the values are ambiguous: class codes in a
            lossy format or inverted, floating point, half-transparent pixels; or it is unclear whether
            the map is rotated like the photo.
    """
    return label_image_of(open_image(path), photo)


def label_image_of(file: DecodedImage, photo: Photo | None = None) -> LabelImage:
    """Return the content of a decoded label map; see `read_label_image`."""
    with decoding(file.path):
        return _label_image(file, photo)


def _label_image(file: DecodedImage, photo: Photo | None) -> LabelImage:
    path = file.path
    image = file.image if photo is None else _turned_like(photo, file)
    if file.zero_is_white:
        raise DataError(f"{path}: the label map is stored inverted (zero is white); {_AS_GRAY}")
    codes, colors, palette, alpha = None, None, None, None
    if image.mode in ("1", "L", "LA"):
        if file.lossy:
            raise DataError(f"{path}: class codes in a lossy format, which changes them; {_AS_GRAY}")
        codes, alpha = _gray_codes(image, file.bits), _alpha(image)
    elif image.mode.startswith("I"):
        codes, alpha = _wide_codes(image, path), _alpha(image)
    elif image.mode in ("P", "PA"):
        codes, alpha = np.asarray(image.getchannel(0), np.uint16), _alpha(image)
        palette = _palette(image)
        colors = palette[codes]
    elif image.mode in ("RGB", "RGBA") and file.bits <= 8:
        colors, alpha = np.asarray(image.convert("RGB"), np.uint8), _alpha(image)
    else:
        bits = f" with {file.bits} bits per sample" if file.bits > 8 else ""
        raise DataError(f"{path}: a label map of mode {image.mode}{bits} cannot be read; {_AS_GRAY}")
    clear = np.zeros((image.height, image.width), bool) if alpha is None else alpha == 0
    if alpha is not None and not (clear | (alpha == 255)).all():
        y, x = np.argwhere(~clear & (alpha < 255))[0]
        raise DataError(
            f"{path}: the pixel x={x}, y={y} is half-transparent; save the label map without transparency"
        )
    return LabelImage(path, codes, colors, palette, clear, file.lossy)


def read_labels(path: Path) -> LabelMap:
    """Read the label map of a sample folder: a palette or grayscale image of class codes.

    Returns:
        class codes, uint8 ``(H, W)``.

    Raises:
        DataError: as `read_label_image`, or the palette is not that of prepared samples.
    """
    return labels_of(open_image(path))


def labels_of(file: DecodedImage) -> LabelMap:
    """Return the class codes of a decoded label map; see `read_labels`."""
    path, labels = file.path, label_image_of(file)
    if labels.codes is None:
        raise DataError(f"{path}: contains colors, not class codes; prepare the sample again")
    if labels.palette is not None and not is_indexed(labels, (sample_palette(), gray_ramp())):
        raise DataError(
            f"{path}: another program changed its palette, so its values may no longer be class codes; "
            "prepare the sample again"
        )
    if labels.clear.any() or labels.codes.max(initial=0) > 255:
        raise DataError(f"{path}: has transparent pixels or values above 255; prepare the sample again")
    return labels.codes.astype(np.uint8)


def is_indexed(labels: LabelImage, palettes: Iterable[Palette]) -> bool:
    """Return whether every code in a palette image has its color in one of the palettes."""
    if labels.codes is None or labels.palette is None:
        return False
    used = np.flatnonzero(np.bincount(labels.codes[~labels.clear]))
    colors = labels.palette[used]
    return any(used.max(initial=0) < len(each) and np.array_equal(colors, each[used]) for each in palettes)


@cache
def sample_palette() -> Palette:
    """Return the palette of the label maps in sample folders: black, then hues a golden ratio apart."""
    hues = (np.arange(256) * 0.618034 % 1 * 179).astype(np.uint8)
    rings = np.stack([hues, np.full(256, 200, np.uint8), 255 - np.arange(256, dtype=np.uint8) // 4], axis=1)
    colors = cv2.cvtColor(rings[None], cv2.COLOR_HSV2RGB)[0].astype(np.uint8)
    colors[0] = 0
    return _constant(colors)


@cache
def gray_ramp() -> Palette:
    """Return the palette that shows each code as the gray level of that value."""
    return _constant(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))


def _constant(palette: Palette) -> Palette:
    palette.flags.writeable = False  # shared by all callers
    return palette


def _turned_like(photo: Photo, file: DecodedImage) -> Image.Image:
    """Return a map rotated like the photo.

    Programs that ignore EXIF make the map from the unrotated photo, others from the photo as shown. Only the
    sides of the image or the map's own orientation show which.
    """
    own, of_photo = file.orientation, photo.orientation
    if (own in (None, 1) and of_photo == 1) or own in (1, of_photo):
        return file.image
    if own is None and sides_tell(of_photo, photo.size):
        unturned = (file.image.width, file.image.height) == photo.size
        return turned_upright(file.image, of_photo) if unturned else file.image
    stated = "no EXIF orientation" if own is None else f"the EXIF orientation {own}"
    raise DataError(
        f"{file.path}: the photo has the EXIF orientation {of_photo} and the label map {stated}, so it is "
        "unclear if both have the same rotation; save the photo upright and without the orientation, and "
        "the label map to match"
    )


def _gray_codes(image: Image.Image, bits: int) -> NDArray[np.uint16]:
    values = np.asarray(image.getchannel(0), np.uint16)
    if image.mode == "1":
        return np.asarray(values != 0, np.uint16)
    # Pillow scales 2-bit and 4-bit gray to 8 bits
    return values // np.uint16(255 // (2**bits - 1)) if bits in (2, 4) else values


def _wide_codes(image: Image.Image, path: Path) -> NDArray[np.uint16]:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path}: has values from {values.min()} to {values.max()}; {_AS_GRAY}")
    return values.astype(np.uint16)


def _palette(image: Image.Image) -> Palette:
    stored = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(stored)] = stored
    return palette


def _alpha(image: Image.Image) -> NDArray[np.uint8] | None:
    """Return the alpha channel, or that of the transparent value, uint8 ``(H, W)``; None for neither."""
    if "A" in image.getbands():
        return np.asarray(image.getchannel("A"), np.uint8)
    key = image.info.get("transparency")
    if key is None:
        return None
    if isinstance(key, bytes):
        entries = np.full(256, 255, np.uint8)
        entries[: len(key)] = np.frombuffer(key[:256], np.uint8)
        return entries[np.asarray(image, np.uint8)]
    values = np.asarray(image)
    same = (values == np.asarray(key)).reshape(*values.shape[:2], -1).all(axis=2)
    return np.where(same, 0, 255).astype(np.uint8)
