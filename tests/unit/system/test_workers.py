"""Processes that work on photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from skinfw.errors import RunError
from skinfw.inference.photo_task import PaintWork, PhotoTask
from skinfw.preparation.listing import Entry
from skinfw.system.workers import Workers


def test_a_process_says_why_it_cannot_start(tmp_path: Path) -> None:
    """As on a node of a cluster that does not share the model."""
    work = PaintWork(tmp_path, tmp_path / "out", tmp_path / "no_model", device="cpu")
    photo = tmp_path / "a.png"
    task = PhotoTask(Entry("a.png", photo), tmp_path / "out" / "a.png", None, "a.png")
    with pytest.raises(RunError, match=r"no_model: "):
        list(Workers(work, 1).rows([task]))
