"""Samples of other data: only those of the training samples' shape are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skinfw.data.aspect import Aspects, fits
from skinfw.data.sample import Sample
from skinfw.errors import DataError
from skinfw.interfaces import Dataset


class FittingDataset(Dataset[Any]):
    """A data set that rejects samples whose shape differs from the training samples.

    Resizing them would distort the person, and the results would be those of distorted people.

    Args:
        dataset: the data set.
        aspects: height over width of the training samples.
    """

    def __init__(self, dataset: Dataset[Any], aspects: Aspects) -> None:
        super().__init__(dataset.config, dataset.io)
        self._dataset = dataset
        self._aspects = aspects

    def names(self) -> Sequence[str]:
        """Return the names of all samples."""
        return self._dataset.names()

    def load(self, name: str) -> Sample:
        """Return one sample.

        Raises:
            DataError: it cannot be read, or has another shape.
        """
        sample = self._dataset.load(name)
        size = sample.source_size
        if size is not None and not fits(size, self._aspects):
            low, high = (f"{aspect:.2f}" for aspect in self._aspects)
            trained = low if low == high else f"{low} to {high}"
            raise DataError(
                f"{name}: {size[0]}x{size[1]} pixels, {size[0] / size[1]:.2f} times as high as wide; the run "
                f"was trained on samples {trained} times as high as wide. Prepare these like the training "
                "samples, for example with prepare's crop"
            )
        return sample

    def mask_source(self, name: str) -> str:
        """Return what computed a sample's label map."""
        return self._dataset.mask_source(name)

    def fingerprint(self) -> str:
        """Return a hash that changes when the data change."""
        return self._dataset.fingerprint()

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each sample."""
        return self._dataset.sample_fingerprints()

    def unchanged(self, name: str) -> bool:
        """Return whether a sample's files are those that were hashed."""
        return self._dataset.unchanged(name)

    def settings(self) -> Mapping[str, Any] | None:
        """Return what its samples depend on: also the accepted shapes."""
        settings = self._dataset.settings()
        return None if settings is None else {**settings, "aspects": list(self._aspects)}
