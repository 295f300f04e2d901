"""The formats of image files that photos, masks and label maps may have. Light: no Pillow."""

from __future__ import annotations

from collections.abc import Mapping

FORMATS: Mapping[str, tuple[str, ...]] = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "AVIF": (".avif",),
}
"""Pillow's name of each format that is read, and the suffixes of its files. What a file holds decides how it
is read, not its suffix; a file of any other format is rejected."""

IMAGE_SUFFIXES: tuple[str, ...] = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
"""Suffixes of the files that are read, in lower case."""

UNREADABLE_SUFFIXES: Mapping[str, str] = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".jp2", ".j2k"), "JPEG 2000"),
    ".jxl": "JPEG XL",
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"), "camera raw"),
}
"""Suffixes of photos in formats that are not read, in lower case, and the name of the format. Whoever lists
photos lists these too, so that each is reported instead of overlooked; reading one says what to do."""


def is_image_name(name: str) -> bool:
    """Return whether a file name has the suffix of an image, readable or not, in either case.

    Example:
        >>> is_image_name("front.JPEG"), is_image_name("front.json")
        (True, False)
    """
    return name.lower().endswith((*IMAGE_SUFFIXES, *UNREADABLE_SUFFIXES))
