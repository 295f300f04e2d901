"""The interface of segmenters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, Segmentation
from skinfw.errors import UserError
from skinfw.interfaces.component import Component, ConfigT


class Segmenter(Component[ConfigT, None]):
    """Finds skin, head, feet, apparel and background in a photo."""

    kind: ClassVar[str] = "segmenter"

    computes: ClassVar[bool] = True
    """Whether it makes label maps itself; False if it only reads them from files."""

    @abstractmethod
    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map of a photo, in the photo's size.

        Raises:
            DataError: the photo cannot be segmented; the message says why.
        """

    def read(self, labels: Path, photo: Photo) -> Segmentation:
        """Return the label map of a photo from a file that you name.

        Only segmenters that read label maps can; others keep this.

        Raises:
            UserError: this segmenter makes label maps itself.
            DataError: the file cannot be read, or does not fit the photo; the message says why.
        """
        raise UserError(
            f"{labels}: {type(self).__name__} makes label maps itself; name a segmenter that reads files"
        )

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files, other than the photo, that the label map of this photo comes from.

        ``prepare`` does not treat them as photos, and makes a sample again when one of them changes.
        """
        return ()

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return other possible meanings of its labels, by the setting that selects each.

        If a label map does not match the body, the error names the table that does. Empty if the segmenter
        makes the labels itself and knows what they mean.
        """
        return {}

    def fingerprint(self) -> str:
        """Return a fingerprint of everything besides the configuration that affects the label maps.

        For instance the SHA-256 of a weights file; empty if it uses none. ``prepare`` makes samples again
        when it changes.
        """
        return ""
