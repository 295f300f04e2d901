"""Finds label maps that are misaligned with their photos."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skinfw.components.reference import ComponentSpec, use
from skinfw.data.label_shift import EdgeStrength, edge_strength, label_shift
from skinfw.data.photo import Photo
from skinfw.errors import counted
from skinfw.interfaces.segmenter import Segmenter

logger = logging.getLogger("skinfw")

_LOOKED_AT, _MIN = 32, 8
"""Maximum and minimum number of photos that are measured."""

_FIELD = "shift"
"""The field of a segmenter's configuration by which it moves its label maps: pixels down and to the right."""


def measured_shift(segmenter: Segmenter[Any], photos: Sequence[Path]) -> tuple[int, int]:
    """Return how far the label maps of photos must be moved down and to the right, in pixels.

    It measures a few evenly chosen photos and skips unreadable ones.

    Args:
        segmenter: reads the label maps; only those of a segmenter with a field ``shift`` can be moved.
        photos: the photos; those that are not on disk are skipped.
    """
    if _FIELD not in type(segmenter.config).model_fields:
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


def moving(reader: ComponentSpec, shift: tuple[int, int]) -> ComponentSpec:
    """Return a segmenter that also moves its label maps by pixels down and to the right."""
    if not any(shift):
        return reader
    given = reader.config.model_dump(exclude_unset=True)
    return use(reader.kind, reader.name, **{**given, _FIELD: shift})


def warn_about_shift(root: Path, segmenter: Segmenter[Any], photos: Sequence[Path]) -> None:
    """Log a warning if the label maps of photos are misaligned.

    Args:
        root: where the photos are.
        segmenter: see `measured_shift`.
        photos: likewise.
    """
    shift = measured_shift(segmenter, photos)
    if any(shift):
        before: tuple[int, int] = segmenter.config.model_dump()[_FIELD]
        new = [old + more for old, more in zip(before, shift, strict=True)]
        logger.warning(
            '%s: the label maps are misaligned, %s; set the segmenter\'s "%s" to %s',
            root, misalignment(*shift), _FIELD, new,
        )  # fmt: skip


def misalignment(down: int, right: int) -> str:
    """Say where label maps lie that must be moved, as in ``1 pixel too low and 2 pixels too far right``."""
    places = []
    if down:
        places.append(f"{counted(abs(down), 'pixel')} too {'low' if down < 0 else 'high'}")
    if right:
        places.append(f"{counted(abs(right), 'pixel')} too far {'right' if right < 0 else 'left'}")
    return " and ".join(places)
