"""The chunks in image files that Pillow does not show. Light: standard library only."""

from __future__ import annotations

import struct
from collections.abc import Iterator


def riff_chunks(head: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the name and the length of each chunk of a WebP file.

    Args:
        head: the beginning of the file.
    """
    place = 12
    while place + 8 <= len(head):
        kind, length = struct.unpack_from("<4sI", head, place)
        yield kind, length
        place += 8 + length + length % 2


def coding_of(kind: str | None, head: bytes) -> tuple[int, int] | None:
    """Return the code points of primaries and transfer function (ITU-T H.273), or None.

    They are in the cICP chunk of a PNG or the color information box of an AVIF.

    Args:
        kind: Pillow's name of the format.
        head: the beginning of the file.
    """
    if kind == "AVIF":
        place = head.find(b"colrnclx")
        if 0 <= place <= len(head) - 12:
            primaries, transfer = struct.unpack_from(">HH", head, place + 8)
            return primaries, transfer
    if kind == "PNG":
        place = 8
        while place + 10 <= len(head):
            length, name = struct.unpack_from(">I4s", head, place)
            if name == b"cICP":
                return head[place + 8], head[place + 9]
            if name == b"IDAT":
                break
            place += 12 + length
    return None
