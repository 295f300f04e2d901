"""Preparing on a Ray cluster of two nodes on this machine: byte for byte what one process makes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.components.reference import ComponentSpec, use
from skinfw.errors import DataError, RunError, UserError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import PrepareReport

PhotoWriter = Callable[..., Path]


@pytest.fixture
def cluster(troubled: ComponentSpec, ray_cluster: str) -> str:
    """The address of a cluster whose nodes know the troubled segmenter."""
    return ray_cluster


@pytest.fixture
def photos(tmp_path: Path, write_photo: PhotoWriter) -> Path:
    for index, name in enumerate(("anna", "berta", "clara", "dora", "kill", "value")):
        write_photo(tmp_path / "photos" / name / "01_1_front.png", index)
    shutil.copytree(tmp_path / "photos" / "anna", tmp_path / "photos" / "zed")
    (tmp_path / "photos" / "dora" / "01_1_front.png").write_bytes(b"no picture")
    return tmp_path / "photos"


def run(root: Path, output: Path, segmenter: ComponentSpec, *engine: Any, **settings: Any) -> PrepareReport:
    config = PrepareConfig.model_validate(settings)
    return prepare(root, output, segmenter, use("pose_encoder", "openpose"), config, None, *engine)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".prepare.lock"
    }


def test_a_cluster_makes_what_one_machine_makes(
    cluster: str, photos: Path, tmp_path: Path, troubled: ComponentSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = run(photos, tmp_path / "local", troubled, workers=2, duplicates="drop")
    remote = run(photos, tmp_path / "remote", troubled, "ray", cluster, duplicates="drop")
    assert [row.reason for row in remote.rows] == [
        *(None, None, None, "photo cannot be read", "component failed", "component failed", "duplicate"),
    ]
    assert remote == local
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")
    # a photo that stops everything is told as on one machine, and the cluster is free for the next run
    with pytest.raises(DataError, match=r"dora/01_1_front\.png: cannot be read: corrupt"):
        run(photos, tmp_path / "remote", troubled, "ray", cluster, on_error="fail")
    # every node finds an archive, and paths are relative to where prepare was started
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("skinfw.preparation.ray_engine._BLOCK", 1)
    shutil.make_archive("all", "zip", "photos")
    nodes = run(Path("all.zip"), Path("nodes"), use("segmenter", "troubled_where"), "ray", cluster)
    told = [row.detail.partition("ValueError: ")[2] for row in nodes.rows]
    assert [bool(where) for where in told] == [True, True, True, False, True, True, True]
    assert len(set(told) - {""}) == 2


def test_without_ray_data_the_command_to_install_it_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'skinfw[ray]'")
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(UserError, match=r"Ray Data, which cannot be imported .*pip install 'skinfw\[ray\]'"):
        run(photos, tmp_path / "out", use("segmenter", "deepfashion"), "ray")


def test_without_ray_the_command_to_install_it_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'skinfw\[ray\]'"):
        run(photos, tmp_path / "out", use("segmenter", "deepfashion"), "ray")


def test_no_such_cluster(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'skinfw[ray]'")

    def refuse(**_: Any) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(RunError, match=r"no Ray cluster at 10\.0\.0\.1:6379: nobody answers"):
        run(photos, tmp_path / "out", use("segmenter", "deepfashion"), "ray", "10.0.0.1:6379")
