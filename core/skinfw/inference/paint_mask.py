"""What is to be painted: a mask that the user gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from skinfw.components.strict_model import nearest
from skinfw.data.image_file import DecodedImage, decoding
from skinfw.data.mask_file import mask_of
from skinfw.data.parts import dilate
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError
from skinfw.inference.source_photo import ImageLike, SourcePhoto, decoded

Rgb = tuple[int, int, int]

MaskLike = ImageLike | NDArray[np.bool_]
"""A mask in memory or a file; an array may be bool."""

MIN_ON_PERSON = 0.5
"""Minimum fraction of a mask on or near the person."""

MAX_COVERED = 0.5
"""Maximum fraction of the head that a mask covers, and of the photo's border: more is an inverted mask."""

OPAQUE = 128
"""Alpha from which a pixel is opaque."""

_NEAR = 0.03
TOLERANCE = 8


def read_paint_mask(mask: MaskLike, source: SourcePhoto, color: Rgb | None = None) -> Mask:
    """Read the mask that belongs to a photo.

    Args:
        mask: white, or transparent, where to paint; bool arrays are set there.
        source: the photo.
        color: the color that is to be painted instead.

    Returns:
        bool ``(H, W)``.

    Raises:
        DataError: it cannot be read, is ambiguous, empty, or of another size than the photo.
    """
    where, found = _read(mask, color)
    height, width = source.photo.size
    if found.shape != (height, width):
        turned = found.shape == (width, height) and source.photo.orientation >= 5
        advice = (
            "it belongs to the photo as stored; turn it as the photo's EXIF data say"
            if turned
            else ("give the mask of this photo")
        )
        photo = "the photo" if source.photo.path is None else f"the photo {source.where}"
        shape = "x".join(str(side) for side in found.shape)
        raise DataError(
            f"{where}: {shape} pixels (height x width), but {photo} has {height}x{width}; {advice}"
        )
    if not found.any():
        what = "white or transparent" if color is None else "of the color {},{},{}".format(*color)
        raise DataError(f"{where}: the mask is empty: nothing in it is {what}")
    return found


def _read(mask: MaskLike, color: Rgb | None) -> tuple[str, Mask]:
    if isinstance(mask, np.ndarray) and mask.dtype == bool:
        return "the mask", mask.astype(bool)
    file = decoded(cast("ImageLike", mask))
    return str(file.path), _mask_in(file, color)


def _mask_in(file: DecodedImage, color: Rgb | None) -> Mask:
    if color is not None:
        with decoding(file.path):
            return of_color(np.asarray(file.image.convert("RGB"), np.uint8), color)
    if file.has_alpha:
        with decoding(file.path):
            layers = np.asarray(file.image.convert("RGBA"), np.uint8)
        clear: Mask = layers[..., 3] < OPAQUE
        shown = layers[~clear][:, :3]
        # white strokes on a transparent layer, or black and white, are read as they look
        if clear.any() and shown.size and not (_is(shown, WHITE) | _is(shown, 0)).all():
            return clear
    return mask_of(file)


def _is(pixels: NDArray[np.uint8], level: int) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.all(np.abs(pixels.astype(np.int16) - level) <= TOLERANCE, axis=-1)
    return near


def of_color(pixels: NDArray[np.uint8], color: Rgb, tolerance: int = TOLERANCE) -> Mask:
    """Return where pixels, uint8 RGB ``(H, W, 3)``, have a color or nearly so, bool ``(H, W)``."""
    difference = np.abs(pixels.astype(np.int16) - np.array(color, np.int16))
    found: Mask = np.all(difference <= tolerance, axis=-1)
    return found


def check_place(mask: Mask, segmentation: Segmentation, where: object) -> None:
    """Reject a mask that is inverted or beside the person.

    Args:
        mask: bool ``(H, W)``.
        segmentation: the label map of the same photo.
        where: names the photo in errors.

    Raises:
        DataError: it covers the background or the head, or does not lie on the person.
    """
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    head = segmentation.region("head")
    if border.mean() > MAX_COVERED or (head.any() and mask[head].mean() > MAX_COVERED):
        covered = "the photo's border" if border.mean() > MAX_COVERED else "the head"
        raise DataError(
            f"{where}: the mask covers {covered}; it seems to be inverted: it must be white where skin is to "
            "be painted"
        )
    height, width = mask.shape
    step = max(1, max(height, width) // 512)
    small = mask[::step, ::step] if mask[::step, ::step].any() else mask
    person = segmentation.person[::step, ::step] if small is not mask else segmentation.person
    near = dilate(person, max(1, round(_NEAR * max(small.shape))))
    on = near[small].mean()
    if on < MIN_ON_PERSON:
        raise DataError(
            f"{where}: only {on:.0%} of the mask is on the person; check that it belongs to this photo"
        )


def person_of_mask(person: Mask, mask: Mask) -> Mask:
    """Return the person that a mask is on, without others who are apart from it.

    Args:
        person: where people are, bool ``(H, W)``.
        mask: the pixels to paint, bool ``(H, W)``.
    """
    count, patches, stats, _ = cv2.connectedComponentsWithStats(
        (person | mask).astype(np.uint8), connectivity=8
    )
    own = np.unique(patches[mask])
    largest = max((int(stats[each, cv2.CC_STAT_AREA]) for each in own), default=0)
    keep = stats[:, cv2.CC_STAT_AREA] < _OTHER_PERSON * largest  # parts of the same person, such as a foot
    keep[own] = True
    keep[0] = False
    kept: Mask = keep[:count][patches]
    return kept


_OTHER_PERSON = 0.3


def parse_color(text: str) -> Rgb:
    """Return a color given as a name like ``gray``, as ``#rrggbb`` or as ``r,g,b`` with 0 to 255.

    Names are those of CSS; ``#`` may be left out, as shells take it for a comment.

    Raises:
        DataError: it is none of these.

    Example:
        >>> parse_color("gray"), parse_color("#7f7f7f"), parse_color("127,127,127")
        ((128, 128, 128), (127, 127, 127), (127, 127, 127))
    """
    plain = text.strip()
    try:
        if re.fullmatch("[0-9, ]+", plain):
            parts: Sequence[int] = [int(part) for part in plain.split(",")]
        else:
            bare = re.fullmatch("[0-9a-fA-F]{6}", plain)
            parts = ImageColor.getrgb(f"#{plain}" if bare else plain)
        red, green, blue = parts
    except ValueError:
        hint = nearest(plain.lower(), list(ImageColor.colormap))
        raise DataError(
            f"{text!r} is not a color{hint} (known: names such as gray, #rrggbb, and r,g,b with 0 to 255)"
        ) from None
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise DataError(f"{text!r} is not a color; each number must be 0 to 255")
    return red, green, blue
