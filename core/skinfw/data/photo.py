"""Reading pictures safely: any mode, orientation and bit depth in, uint8 RGB out."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from skinfw.data.segmentation import Picture
from skinfw.errors import DataError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded: a small file can hold a huge picture."""


@dataclass(frozen=True)
class Photo:
    """A photo and where it came from.

    Attributes:
        pixels: uint8 RGB ``(H, W, 3)``.
        path: the file it was read from, or None for a picture in memory.
    """

    pixels: Picture
    path: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @classmethod
    def read(cls, path: Path) -> Photo:
        """Read a photo from a file; see `read_image` for the errors."""
        return cls(np.asarray(to_rgb(read_image(path)), np.uint8), path)


def read_image(path: Path) -> Image.Image:
    """Open and fully decode a picture, turned upright by its EXIF orientation.

    Raises:
        DataError: the file is missing, no picture, truncated, or larger than `MAX_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns below twice its own limit; ours is checked here, before decoding
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise DataError(_too_large(path, width, height))
                image.load()
                return ImageOps.exif_transpose(image)
    except Image.DecompressionBombError as error:
        raise DataError(f"{path}: more than {MAX_PIXELS:,} pixels; make the picture smaller") from error
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: no picture that can be read (corrupt or of an unknown format)") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _too_large(path: Path, width: int, height: int) -> str:
    return f"{path}: {width}x{height} is more than {MAX_PIXELS:,} pixels; make the picture smaller"


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn a picture of any mode into RGB: 16 bit is scaled to 8, transparency is laid on white."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, np.float64)
        # the two wide modes do not say how many bits their values have
        wide = image.mode.startswith("I;16") or values.max(initial=0) > 255
        peak = 65535.0 if wide else 255.0
        image = Image.fromarray(np.clip(values / peak * 255 + 0.5, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layer)
    return image.convert("RGB")
