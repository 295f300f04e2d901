"""A segmenter that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from troubled import install_troubled

from skinfw.components.reference import ComponentSpec, use
from skinfw.components.registry import installed


@pytest.fixture
def troubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ComponentSpec]:
    """A segmenter that has trouble; others, named ``troubled_...``, are there too."""
    install_troubled(tmp_path / "plugin", monkeypatch)
    installed.cache_clear()
    yield use("segmenter", "troubled")
    installed.cache_clear()
