from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw.errors import DataError
from skinfw.interfaces import DatasetIO
from skinfw.spec import parse_spec
from skinfw_plugins.datasets import photos as photos_module
from skinfw_plugins.datasets.config import PhotosConfig
from skinfw_plugins.datasets.photos import PhotosDataset, cache_folder, default_cache

PhotoWriter = Callable[..., Path]
IO = DatasetIO((48, 24), ("apparel_head_foot", "line", "segmentation_skin", "face"), True)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path: Path, write_photo: PhotoWriter) -> Path:
    for index in range(3):
        write_photo(tmp_path / "photos" / f"id_{index}" / "01_1_front.png", index)
    return tmp_path / "photos"


def config(root: Path, **settings: Any) -> PhotosConfig:
    return PhotosConfig.model_validate({"root": root, "prepare": {"workers": 1}, **settings})


def test_photos_are_prepared_into_the_cache(photos: Path, tmp_path: Path) -> None:
    data = PhotosDataset(config(photos), IO)
    assert not (tmp_path / "cache").exists()
    assert list(data.names()) == [f"id_{index}/01_1_front" for index in range(3)]
    sample = data.load("id_0/01_1_front")
    assert tuple(sample.inputs) == IO.inputs and sample.skin is not None and sample.skin.any()
    assert [path.parent for path in (tmp_path / "cache" / "prepared").iterdir()]


def test_they_are_prepared_once(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = PhotosDataset(config(photos), IO)
    prints = first.fingerprint()
    calls = []
    original = photos_module.prepare

    def counting(*args: Any) -> Any:
        report = original(*args)
        calls.append(report)
        return report

    monkeypatch.setattr(photos_module, "prepare", counting)
    again = PhotosDataset(config(photos), IO)
    assert again.fingerprint() == prints
    again.names()
    again.load("id_1/01_1_front")
    assert [report.count("kept") for report in calls] == [3]


def test_the_cache_goes_by_root_and_settings(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "others")
    different = [
        config(photos),
        config(tmp_path / "others"),
        config(photos, prepare={"margin": 9}),
        config(photos, segmenter={"type": "deepfashion", "palette": "mmfashion"}),
        config(photos, pose_encoder={"type": "openpose", "suffix": ".json"}),
    ]
    assert len({default_cache(each) for each in different}) == 5
    assert default_cache(config(photos, prepare={"workers": 2, "on_error": "fail"})) == default_cache(
        config(photos)
    )


def test_a_cache_of_ones_own(photos: Path, tmp_path: Path) -> None:
    data = PhotosDataset(config(photos, cache=tmp_path / "mine"), IO)
    data.names()
    assert (tmp_path / "mine" / "id_0" / "01_1_front" / "sample.json").is_file()
    assert not (tmp_path / "cache").exists()


def test_where_caches_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("SKINFW_CACHE")
    monkeypatch.setattr(photos_module.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "skinfw"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "skinfw"


def test_nothing_became_a_sample(photos: Path) -> None:
    data = PhotosDataset(config(photos, prepare={"workers": 1, "views": ["back"]}), IO)
    with pytest.raises(DataError, match=r"no photo became a sample: .*other view: 3.*left_out\.csv"):
        data.names()


def test_settings_reach_the_samples(photos: Path) -> None:
    settings = {"workers": 1, "margin": 6}
    wide = PhotosDataset(config(photos, prepare=settings), IO).load("id_0/01_1_front")
    narrow = PhotosDataset(config(photos), IO).load("id_0/01_1_front")
    assert wide.kept.sum() < narrow.kept.sum()
    assert np.array_equal(wide.target, narrow.target)


def test_as_a_spec_has_it(photos: Path, tiny_spec: Callable[..., dict[str, Any]]) -> None:
    value = tiny_spec()
    value["data"]["dataset"] = {
        "type": "photos",
        "root": "photos",
        "segmenter": "deepfashion",
        "pose_encoder": {"type": "openpose", "folder": "poses"},
        "prepare": {"crop": {"aspect": 2}},
    }
    spec = parse_spec(value, folder=photos.parent)
    found = spec.data.dataset.config
    assert isinstance(found, PhotosConfig)
    assert found.root == photos
    assert getattr(found.pose_encoder.config, "folder", None) == photos.parent / "poses"
    # the filled spec says everything, and is read again as it is
    assert parse_spec(spec.to_json()) == spec
