"""Base of the segmenters that use others."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skinfw.interfaces.component import ConfigT
from skinfw.interfaces.segmenter import Segmenter


class JoinedSegmenter(Segmenter[ConfigT]):
    """A segmenter based on others."""

    @abstractmethod
    def _segmenters(self) -> Sequence[Segmenter[Any]]:
        """Return the segmenters that it uses, always in the same order."""

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files that its segmenters read next to the photo, each once."""
        found = (path for segmenter in self._segmenters() for path in segmenter.sources(photo))
        return tuple(dict.fromkeys(found))

    def fingerprint(self) -> str:
        """Return a hash of its segmenters' fingerprints, in order."""
        prints = "\0".join(segmenter.fingerprint() for segmenter in self._segmenters())
        return hashlib.sha256(prints.encode()).hexdigest()
