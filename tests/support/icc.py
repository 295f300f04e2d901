"""ICC profiles, byte by byte (ICC.1:2001-04), and the colors that they stand for by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Triple = tuple[float, float, float]

ADOBE_RGB: Sequence[Triple] = (
    (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457),
)  # fmt: skip
"""XYZ of red, green and blue relative to D50: Adobe RGB (1998), annex C."""

ADOBE_GAMMA = 563 / 256

DISPLAY_P3: Sequence[Triple] = (
    (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407),
)  # fmt: skip

SRGB: Sequence[Triple] = (
    (0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410),
)  # fmt: skip


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: Triple) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def profile(
    space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr"
) -> bytes:
    """Return a profile with these tags, a description and a white point."""
    text = b"test\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _xyz((0.9642, 1.0, 0.8249)),
        **tags,
    }
    place, table, data = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, place + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = place + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, kind, space, connection)
    head += (
        struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
        + b"acsp"
        + bytes(28)
        + b"".join(map(_fixed, (0.9642, 1, 0.8249)))
    )
    return head.ljust(128, b"\0") + table + data


def rgb_profile(primaries: Sequence[Triple], gamma: float) -> bytes:
    """Return a matrix profile of a monitor."""
    tags = {name + b"XYZ": _xyz(values) for name, values in zip((b"r", b"g", b"b"), primaries, strict=True)}
    return profile(b"RGB ", tags | {name + b"TRC": _gamma(gamma) for name in (b"r", b"g", b"b")})


def gray_profile(gamma: float) -> bytes:
    """Return a grayscale profile."""
    return profile(b"GRAY", {b"kTRC": _gamma(gamma)})


def cmyk_profile(corners: NDArray[np.uint8]) -> bytes:
    """Return a printer profile.

    Args:
        corners: L, a and b as ICC's 8-bit values of the 16 combinations of no and full ink, by C, M, Y and K.
    """
    line = bytes(range(256))
    identity = b"".join(map(_fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + line * 4 + corners.tobytes() + line * 3
    return profile(b"CMYK", {b"A2B0": table, b"A2B1": table}, connection=b"Lab ", kind=b"prtr")


def to_srgb(pixels: NDArray[np.uint8], primaries: Sequence[Triple], gamma: float) -> NDArray[np.float64]:
    """Return RGB of a matrix profile as sRGB, 0 to 255, by the definition of both."""
    return _encoded((pixels / 255) ** gamma @ np.array(primaries))


def lab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIE Lab relative to D50, ``(N, 3)``, as sRGB, 0 to 255."""
    middle = (lab[:, 0] + 16) / 116
    roots = np.stack([middle + lab[:, 1] / 500, middle, middle - lab[:, 2] / 200], axis=1)
    ratios = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))
    return _encoded(ratios * (0.9642, 1.0, 0.8249))


def _encoded(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return XYZ relative to D50 as sRGB, 0 to 255 (IEC 61966-2-1)."""
    linear = (xyz @ np.linalg.inv(np.array(SRGB))).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    result: NDArray[np.float64] = encoded * 255
    return result
