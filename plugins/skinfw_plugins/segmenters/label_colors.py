"""The colors of published label maps of people."""

from __future__ import annotations

RGB = tuple[int, int, int]

HUMAN_PARSING: tuple[RGB, ...] = (
    (0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85), (0, 119, 221),
    (85, 85, 0), (0, 85, 85), (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255), (51, 170, 221),
    (0, 255, 255), (85, 255, 170), (170, 255, 85), (255, 255, 0), (255, 170, 0),
)  # fmt: skip
"""LIP's and CIHP's colors in LIP_JPPNet and CIHP_PGN (``label_colors`` in their ``utils``); also those of
VITON-HD's label maps."""


def voc_color(code: int) -> RGB:
    """Return Pascal VOC's color of a code: its bits, spread over the high bits of red, green and blue.

    Source: PASCAL Visual Object Classes development kit, ``VOClabelcolormap``.
    """
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (code >> channel & 1) << (7 - place)
        code >>= 3
    return channels[0], channels[1], channels[2]
