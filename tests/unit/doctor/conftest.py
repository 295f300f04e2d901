"""A clean set of samples that tests damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from skinfw.components.reference import use
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare

PEOPLE = 4


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory, write_photo: Callable[..., Path]) -> Path:
    """Prepare drawn photos once a session."""
    root = tmp_path_factory.mktemp("clean")
    for index in range(PEOPLE):
        write_photo(root / "photos" / f"id_0000000{index}" / "01_1_front.png", index, (256, 128))
    parts = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    report = prepare(root / "photos", root / "samples", *parts, PrepareConfig(num_workers=1))
    assert report.count("made") == PEOPLE
    return root / "samples"


@pytest.fixture
def samples(_prepared: Path, tmp_path: Path) -> Path:
    """Return samples of four drawn people, a copy of one's own, named ``id_0000000N/01_1_front``."""
    return Path(shutil.copytree(_prepared, tmp_path / "samples"))
