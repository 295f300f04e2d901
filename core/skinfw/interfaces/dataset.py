"""The interface of data sets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from skinfw.data.dataset_io import DatasetIO, FieldReader
from skinfw.data.sample import Sample
from skinfw.interfaces.component import Component, ConfigT
from skinfw.system.source_code import code_fingerprint


class Dataset(Component[ConfigT, DatasetIO]):
    """Yields samples one at a time; never holds all images in memory.

    A sample depends only on its content, of which the fingerprints are hashes, and on `settings`: it is the
    same each time, so that it can be cached.
    """

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

    def mask_source(self, name: str) -> str:
        """Return what computed the label map of a sample, and so its masks, for example a segmenter's name.

        Empty by default: the label map was drawn, or read from a file about which nothing else is known.

        Raises:
            DataError: the sample's record cannot be read.
        """
        return ""

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

    def unchanged(self, name: str) -> bool:
        """Return whether a sample's files are still those that `sample_fingerprints` hashed.

        True by default, for samples that are not read from files. A data set that reads files compares their
        sizes, times and inodes with those from just before they were hashed. A sample that changed since then
        is not cached.
        """
        return True

    def settings(self) -> Mapping[str, Any] | None:
        """Return everything besides the data that `load` depends on, as JSON: configuration, fields, code.

        Returns:
            the settings; None if the samples cannot be cached, as their code is not all in packages.
        """
        io, readers = self.io, {**self.io.inputs, **self.io.optional}
        code = code_fingerprint(type(each) for each in (self, *readers.values()))
        if code is None:
            return None
        return {
            "dataset": _described(self),
            "size": list(io.size),
            "inputs": [[name, *_described(each)] for name, each in io.inputs.items()],
            "optional": [[name, *_described(each)] for name, each in io.optional.items()],
            "needs_keypoints": io.needs_keypoints,
            "mask_margin": io.mask_margin,
            "code": code,
        }


def _described(component: Dataset[Any] | FieldReader) -> list[Any]:
    kind = type(component)
    return [f"{kind.__module__}.{kind.__qualname__}", component.config.model_dump(mode="json")]
