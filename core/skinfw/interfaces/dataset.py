"""The interface of data sets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from skinfw.components.config import Size
from skinfw.data.sample import Sample
from skinfw.interfaces.component import Component, ConfigT
from skinfw.interfaces.input import Input


@dataclass(frozen=True)
class DatasetIO:
    """What a data set must provide.

    Attributes:
        size: height and width of every image in pixels.
        inputs: the inputs that each sample must have, by name.
        optional: masks that are blank for samples without them, by name.
        needs_keypoints: whether every sample must have keypoints.
        mask_margin: pixels around the skin that may be inpainted in samples without a mask; see
            `skinfw.data.sample_folder.FolderParts`.
    """

    size: Size
    inputs: Mapping[str, Input[Any]]
    optional: Mapping[str, Input[Any]] = field(default_factory=dict)
    needs_keypoints: bool = False
    mask_margin: int = 0


class Dataset(Component[ConfigT, DatasetIO]):
    """Yields samples one at a time; never holds all images in memory."""

    kind: ClassVar[str] = "dataset"

    @abstractmethod
    def names(self) -> Sequence[str]:
        """Return the names of all samples, unique and in a fixed order.

        Raises:
            DataError: the data cannot be found or is empty.
        """

    def group(self, name: str) -> str:
        """Return the group of a sample, by default its name: the split keeps a group on one side."""
        return name

    @abstractmethod
    def load(self, name: str) -> Sample:
        """Return one sample in the requested size with the requested inputs.

        Raises:
            DataError: a file is missing, corrupt or of another size; the message names it.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a SHA-256 in hex that changes when the data changes."""

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each sample by name; empty by default.

        With hashes, an error about changed data names the changed samples.
        """
        return {}
