"""A cache of samples in memory, to avoid decoding them in every epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skinfw.data.keypoints import Keypoints
from skinfw.data.sample import Sample

_MEBIBYTE = 2**20


class SampleCache:
    """Keeps samples until it is full; each process has its own cache.

    Args:
        mebibytes: memory for samples; 0 keeps none.

    Example:
        >>> cache = SampleCache(1)
        >>> loaded = []
        >>> def load(name):
        ...     loaded.append(name)
        ...     return Sample(name, {})
        >>> [cache.get("anna", load).name for _ in range(2)], loaded
        (['anna', 'anna'], ['anna'])
    """

    def __init__(self, mebibytes: int) -> None:
        self._mebibytes = mebibytes
        self._room = mebibytes * _MEBIBYTE
        self._kept: dict[str, Sample] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Travel to other processes without the samples."""
        return vars(SampleCache(self._mebibytes))

    def get(self, name: str, load: Callable[[str], Sample]) -> Sample:
        """Return a sample from memory, or load it and keep it if there is room."""
        found = self._kept.get(name)
        if found is None:
            found = load(name)
            size = _bytes(found)
            if self._room > 0 and size <= self._room:
                self._room -= size
                self._kept[name] = found
        return found


def _bytes(sample: Sample) -> int:
    values = [sample[name] for name in sample.fields]
    return sum((value.points if isinstance(value, Keypoints) else value).nbytes for value in values)
