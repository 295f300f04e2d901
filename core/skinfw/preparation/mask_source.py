"""What made the label map of a prepared sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skinfw.components.registry import installed
from skinfw.data.sample_folder import read_record
from skinfw.errors import SkinfwError
from skinfw.interfaces.segmenter import Segmenter


def prepared_by(folder: Path) -> str:
    """Return the name of the segmenter that computed the label map of a sample folder.

    Returns:
        empty if the segmenter read the label map from a file, or prepare did not make the sample. A segmenter
        that is not installed counts as one that computes.

    Raises:
        DataError: the sample's record is damaged.
    """
    return computed_by(segmenter_in(read_record(folder)))


def segmenter_in(record: Mapping[str, Any] | None) -> str:
    """Return the name of the segmenter in a sample's record; empty if it names none."""
    made_with = (record or {}).get("made_with")
    segmenter = made_with.get("segmenter") if isinstance(made_with, dict) else None
    name = segmenter.get("type") if isinstance(segmenter, dict) else None
    return name if isinstance(name, str) else ""


def computed_by(segmenter: str) -> str:
    """Return the name of a segmenter if it computes label maps; empty if it reads them, or for no name."""
    return segmenter if segmenter and _computes(segmenter) else ""


def _computes(name: str) -> bool:
    try:
        found = installed().component_class("segmenter", name)
    except SkinfwError:
        return True
    return not issubclass(found, Segmenter) or found.computes
