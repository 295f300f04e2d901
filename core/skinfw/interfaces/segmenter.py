"""The interface of segmenters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, Segmentation
from skinfw.interfaces.component import Component, ConfigT


class Segmenter(Component[ConfigT, None]):
    """Tells which pixels of a photo are skin, head, feet, apparel and background."""

    kind: ClassVar[str] = "segmenter"

    @abstractmethod
    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map of a photo, of the photo's own size.

        Raises:
            DataError: the photo cannot be segmented; the text says why.
        """

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files, other than the photo, that the label map of this photo comes from.

        ``prepare`` does not take them for photos, and makes a sample again when one of them changes.
        """
        return ()

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return what else its labels could mean, by what the user would set to have them read so.

        Where a label map does not fit the body that it is of, the one of these that does is named. Empty
        where the segmenter makes the labels itself and knows what they mean.
        """
        return {}

    def fingerprint(self) -> str:
        """Return what else than its configuration the label maps depend on.

        For instance the SHA-256 of a file of weights; empty for nothing. ``prepare`` makes samples again when
        it changes.
        """
        return ""
