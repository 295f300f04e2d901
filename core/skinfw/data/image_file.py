"""Opens image files: the formats, limits and errors of decoders in one place.

The meaning of pixels is left to `skinfw.data.photo`, `skinfw.data.mask_file` and `skinfw.data.label_file`,
each for its own kind.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import ExifTags, Image, UnidentifiedImageError

from skinfw.data.image_chunks import coding_of, riff_chunks
from skinfw.data.image_formats import FORMATS, UNREADABLE_SUFFIXES
from skinfw.errors import DataError, SkinfwError, first_line
from skinfw.system.quiet import quiet
from skinfw.system.regular_file import open_regular

MAX_PIXELS = 100_000_000
"""Larger images are rejected before they are decoded: a small file can hold a huge image."""

MAX_BYTES = 2**30
"""Larger files are rejected: an image of `MAX_PIXELS` has at most 800 million bytes of pixels."""

MAX_READS = 2_000_000
"""A file whose decoding needs more reads is rejected; a GIF of `MAX_PIXELS` may need a million."""

MAX_SIDE = 65_535
"""Higher or wider images are rejected: most formats allow no more, and decoding 100 million rows of one pixel
takes long."""

MAX_SCANS = 500
"""A JPEG with more scans is rejected: each takes the time of decoding the whole image, and no camera or
program writes more than a few dozen."""

# what Pillow logs about a damaged file is also in the error that it raises
logging.getLogger("PIL").addHandler(logging.NullHandler())

_HEAD = 2**18
_MESSAGE_LENGTH = 200

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

# TIFF tags, and the lossless compressions
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 259, 262, 339
_LOSSLESS = (1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 50000)


@dataclass(frozen=True)
class DecodedImage:
    """A decoded image and its file's information about the sample values.

    Attributes:
        path: the file.
        image: the image, turned upright by the file's own orientation, in Pillow's mode.
        orientation: the file's EXIF orientation, 1 to 8; None if it has none.
        lossy: whether the format may have changed values when it was written.
        bits: bits per stored sample; Pillow scales gray of fewer than 8 bits to 8.
        zero_is_white: whether stored gray is inverted, as TIFF allows.
        coding: the code points of primaries and transfer function (ITU-T H.273) in a PNG or AVIF, or None.
    """

    path: Path
    image: Image.Image
    orientation: int | None
    lossy: bool
    bits: int
    zero_is_white: bool
    coding: tuple[int, int] | None

    @property
    def has_alpha(self) -> bool:
        """Whether there is an alpha channel or a transparent color."""
        return self.image.has_transparency_data


def turned_upright(image: Image.Image, orientation: int | None) -> Image.Image:
    """Return an image turned upright by an EXIF orientation; None is 1."""
    method = _UPRIGHT.get(orientation or 1)
    return image if method is None else image.transpose(method)


def sides_tell(orientation: int, size: tuple[int, int]) -> bool:
    """Return whether height and width show if an image was turned upright."""
    return orientation >= 5 and size[0] != size[1]


def open_image(path: Path) -> DecodedImage:
    """Open and decode an image.

    Raises:
        DataError: the file is missing, not a regular file, not an image in one of
            `skinfw.data.image_formats.FORMATS`, corrupt or truncated, beyond a limit of this module, or has
            several images.
    """
    with decoding(path), open_regular(path) as file:
        check_size(path, file)
        return _decode(path, file, MAX_PIXELS)


def decode_image(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """Decode an image in memory.

    Args:
        data: the content of an image file.
        name: names it in errors.
        max_pixels: larger images are rejected before they are decoded.

    Raises:
        DataError: as `open_image`.
    """
    path = Path(name)
    with decoding(path):
        return _decode(path, io.BytesIO(data), min(max_pixels, MAX_PIXELS))


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn any error from decoding or converting an image into one `DataError`, without warnings."""
    try:
        with warnings.catch_warnings():
            # about broken metadata and Pillow's own limit, which ours replaces
            warnings.simplefilter("ignore")
            yield
    except SkinfwError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{path}: more than {MAX_PIXELS:,} pixels; make the image smaller") from error
    except MemoryError as error:
        raise DataError(f"{path}: cannot be read: not enough memory to decode it") from error
    except Exception as error:  # decoders raise anything on malformed files
        detail = getattr(error, "strerror", None) or first_line(error)
        raise DataError(f"{path}: cannot be read: {str(detail)[:_MESSAGE_LENGTH]}") from error


class _CountedReads:
    """A file that raises an error if a decoder reads it in too many small pieces.

    Pillow skips meaningless data in a JPEG or GIF byte by byte, which takes minutes in a large file.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._left = MAX_READS

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise DataError(
                f"{self._path}: cannot be read: it has more than {MAX_READS:,} parts; save the image again"
            )
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def check_size(path: Path, file: BinaryIO) -> None:
    """Reject an open file of more than `MAX_BYTES`, without reading it.

    Raises:
        DataError: it is larger.
    """
    size = os.fstat(file.fileno()).st_size
    if size > MAX_BYTES:
        raise DataError(f"{path}: {size:,} bytes, more than the limit of {MAX_BYTES:,}; make it smaller")


def _decode(path: Path, opened: BinaryIO, max_pixels: int) -> DecodedImage:
    file = cast("BinaryIO", _CountedReads(path, opened))
    head = file.read(_HEAD)
    if head.startswith(b"\xff\xd8") and _scans(head, file) > MAX_SCANS:
        raise DataError(f"{path}: a JPEG of more than {MAX_SCANS} scans; save the image again")
    file.seek(0)
    # libtiff writes errors to standard error
    with quiet() if head[:2] in (b"II", b"MM") else nullcontext():
        return _opened(path, file, head, max_pixels)


def _opened(path: Path, file: BinaryIO, head: bytes, max_pixels: int) -> DecodedImage:
    try:
        opened = Image.open(file, formats=tuple(FORMATS))
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: {_unidentified(path, head)}") from error
    with opened as image:
        width, height = image.size
        if width * height > max_pixels:
            raise DataError(
                f"{path}: {width}x{height} is more than {max_pixels:,} pixels; make the image smaller"
            )
        if max(width, height) > MAX_SIDE:
            raise DataError(f"{path}: {width}x{height}; a side has more than {MAX_SIDE:,} pixels")
        # the other images in an MPO are previews, depth or gain maps of the first
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise DataError(
                f"{path}: contains several images or frames; save the one that you need as a separate file"
            )
        found = image.getexif().get(ExifTags.Base.Orientation)
        orientation = found if found in range(1, 9) else None
        bits, zero_is_white, lossy = _samples(path, image, head)
        coding = coding_of(image.format, head)
        image.load()
        if image.mode == "P" and image.palette is None:
            raise DataError(f"{path}: cannot be read: its pixels refer to a palette that it does not have")
        # Pillow turns TIFFs itself
        upright = image if image.format == "TIFF" else turned_upright(image, orientation)
        return DecodedImage(
            path=path,
            image=upright,
            orientation=orientation,
            lossy=lossy,
            bits=bits,
            zero_is_white=zero_is_white,
            coding=coding,
        )


def _scans(head: bytes, file: BinaryIO) -> int:
    """Count the scans of a JPEG; compressed data never contains the bytes 0xFF 0xDA."""
    count, block, last = 0, head, b""
    while block:
        count += (last + block).count(b"\xff\xda")
        last, block = block[-1:], file.read(2**20)
    return count


def _samples(path: Path, image: Image.Image, head: bytes) -> tuple[int, bool, bool]:
    """Return the bits per sample, whether zero is white, and whether values may have changed."""
    if image.format == "PNG":
        return head[24], False, False
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]  # TiffImageFile's
        formats = set(_numbers(tags.get(_SAMPLE_FORMAT, 1)))
        bits = max(_numbers(tags.get(_BITS, 1)))
        if formats - {1} and bits < 32:
            raise DataError(f"{path}: its samples are signed; save the image with unsigned samples")
        return bits, tags.get(_PHOTOMETRIC) == 0, tags.get(_COMPRESSION, 1) not in _LOSSLESS
    if image.format == "WEBP":
        return 8, False, not any(kind == b"VP8L" for kind, _ in riff_chunks(head))
    return 8, False, image.format not in ("BMP", "GIF")


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)  # type: ignore[return-value]


def _unidentified(path: Path, head: bytes) -> str:
    if not head:
        return "the file is empty"
    kind = UNREADABLE_SUFFIXES.get(path.suffix.lower())
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        kind = "HEIC"
    if kind is not None:
        return f"{kind} images cannot be read; convert it to PNG or JPEG"
    return f"cannot be read: corrupt, or not an image of a known format ({', '.join(FORMATS)})"
