"""The accepted image formats of photos, masks and label maps. Light: no Pillow."""

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
"""Pillow's name of each accepted format, and its suffixes. A file's content, not its suffix, decides how it
is read; files in any other format are rejected."""

IMAGE_SUFFIXES: tuple[str, ...] = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
"""Suffixes of accepted files, in lower case."""

UNREADABLE_SUFFIXES: Mapping[str, str] = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".jp2", ".j2k"), "JPEG 2000"),
    ".jxl": "JPEG XL",
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"), "camera raw"),
}
"""Suffixes of photos in rejected formats, in lower case, and the name of the format. Lists of photos include
them, so that each is reported instead of overlooked; the error on reading one says what to do."""


def is_image_name(name: str) -> bool:
    """Return whether a file name has the suffix of an image, readable or not, in either case.

    Example:
        >>> is_image_name("front.JPEG"), is_image_name("front.json")
        (True, False)
    """
    return name.lower().endswith((*IMAGE_SUFFIXES, *UNREADABLE_SUFFIXES))
