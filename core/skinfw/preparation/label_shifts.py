"""Finds label maps that do not lie exactly on their photos."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skinfw.data.label_shift import EdgeStrength, edge_strength, label_shift
from skinfw.data.photo import Photo
from skinfw.errors import counted
from skinfw.interfaces.segmenter import Segmenter

logger = logging.getLogger("skinfw")

_LOOKED_AT, _MIN = 32, 8
"""Maximum and minimum number of photos that are measured."""


def measured_shift(segmenter: Segmenter[Any], photos: Sequence[Path]) -> tuple[int, int]:
    """Return how far the label maps of photos must be moved down and to the right, in pixels.

    It measures a few evenly chosen photos and skips unreadable ones.

    Args:
        segmenter: reads the label maps; one that does not read files needs no shift.
        photos: the photos; those that are not on disk are skipped.
    """
    if not segmenter.config.reads_files():
        return 0, 0
    found = [strength for photo in _chosen(photos) if (strength := _strength(segmenter, photo)) is not None]
    return label_shift(found) if len(found) >= _MIN else (0, 0)


def _chosen(photos: Sequence[Path]) -> list[Path]:
    indices = np.linspace(0, len(photos) - 1, min(_LOOKED_AT, len(photos))).round().astype(int)
    return [photos[index] for index in indices]


def _strength(segmenter: Segmenter[Any], photo: Path) -> EdgeStrength | None:
    if not photo.is_file():
        return None
    try:
        read = Photo.read(photo)
        return edge_strength(read.pixels, segmenter.segment(read).person)
    except Exception:  # third-party segmenters may raise anything; it is reported where they are used
        logger.debug("%s: not measured", photo, exc_info=True)
        return None


def warn_about_shift(segmenter: Segmenter[Any], photos: Sequence[Path]) -> None:
    """Log a warning if the label maps do not lie on their photos. See `measured_shift` for the arguments."""
    down, right = measured_shift(segmenter, photos)
    if not (down or right):
        return
    configured = segmenter.config.model_dump().get("shift")
    advice = "move them"
    if configured is not None:
        advice = f'set the segmenter\'s "shift" to [{configured[0] + down}, {configured[1] + right}]'
    logger.warning(
        "%s: the label maps lie %s what the photos show; %s",
        photos[0].parent,
        where_they_lie(down, right),
        advice,
    )


def where_they_lie(down: int, right: int) -> str:
    """Say where label maps lie that must be moved: ``1 pixel below and 2 pixels to the right of``."""
    places = []
    if down:
        places.append(f"{counted(abs(down), 'pixel')} {'below' if down < 0 else 'above'}")
    if right:
        places.append(f"{counted(abs(right), 'pixel')} to the {'right' if right < 0 else 'left'} of")
    return " and ".join(places)
