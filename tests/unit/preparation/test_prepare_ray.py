"""Preparing where Ray or its cluster is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.components.reference import ComponentSpec, use
from skinfw.errors import RunError, UserError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare


@pytest.fixture
def photos(tmp_path: Path, write_photo: Callable[..., Path]) -> Path:
    write_photo(tmp_path / "photos" / "anna" / "01_1_front.png")
    return tmp_path / "photos"


def run(root: Path, output: Path, segmenter: ComponentSpec, address: str | None = None) -> None:
    poses = use("pose_encoder", "openpose")
    prepare(root, output, segmenter, poses, PrepareConfig(), None, "ray", address)


def test_without_ray_data_the_command_to_install_it_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'skinfw[ray]'")
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(UserError, match=r"Ray Data, which cannot be imported .*pip install 'skinfw\[ray\]'"):
        run(photos, tmp_path / "out", use("segmenter", "deepfashion"))


def test_without_ray_the_command_to_install_it_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'skinfw\[ray\]'"):
        run(photos, tmp_path / "out", use("segmenter", "deepfashion"))


def test_no_such_cluster(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'skinfw[ray]'")

    def reject(**_: Any) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", reject)
    with pytest.raises(RunError, match=r"no Ray cluster at 10\.0\.0\.1:6379: nobody answers"):
        run(photos, tmp_path / "out", use("segmenter", "deepfashion"), "10.0.0.1:6379")
