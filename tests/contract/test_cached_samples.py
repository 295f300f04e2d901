"""Every data set through the cache: bit for bit what it loads itself, and loaded once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from skinfw.components.registry import installed
from skinfw.data.keypoints import Keypoints
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import SampleCache, samples_folder
from skinfw.interfaces import Dataset
from skinfw.testing import example_dataset_io

INPUTS = ("apparel_head_foot", "segmentation_skin", "mask")


class Counted:
    """Counts what a data set loads."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset
        self.settings = dataset.settings
        self.loaded: list[str] = []

    def load(self, name: str) -> Sample:
        self.loaded.append(name)
        return self.dataset.load(name)


def content(sample: Sample) -> list[Any]:
    found: list[Any] = [sample.name, sample.source_size]
    for name, field in sample.fields.items():
        array = field.value.points if isinstance(field.value, Keypoints) else field.value
        found.append((name, field.type, type(field.value), array.dtype.str, array.shape, array.tobytes()))
    return found


@pytest.mark.parametrize("kind", installed().names("dataset"))
def test_every_data_set_gives_the_same_from_the_cache(
    kind: str,
    example_makers: Mapping[tuple[str, str], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if ("dataset", kind) not in example_makers:
        pytest.skip("a plugin's")
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    component = installed().component_class("dataset", kind)
    config = installed().config_class("dataset", kind)
    for example in example_makers["dataset", kind](tmp_path / "data"):
        given = config.model_validate(example.params)
        folders = set()
        for size in ((32, 24), (24, 32)):
            io = example_dataset_io(size, INPUTS)
            direct = component(given, io)
            names = direct.names()
            wanted = [content(direct.load(name)) for name in names]
            for turn in ("filled", "used"):
                source = Counted(component(given, io))
                cached = SampleCache(100, source.dataset).reading(source)
                assert [content(cached.load(name)) for name in names] == wanted
                assert source.loaded == (list(names) if turn == "filled" else [names[0]]), turn
            folders |= {path.parent for path in samples_folder().glob("*/about.json")}
        assert len(folders) == 2


HASHED_WHEN_READ = ("mannequins", "shards")
"""Data sets without files, or that compare the files with their hash whenever they read them."""


@pytest.mark.parametrize(
    "kind", [each for each in installed().names("dataset") if each not in HASHED_WHEN_READ]
)
def test_every_data_set_that_reads_files_notices_later_changes(
    kind: str, example_makers: Mapping[tuple[str, str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ("dataset", kind) not in example_makers:
        pytest.skip("a plugin's")
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    component = installed().component_class("dataset", kind)
    config = installed().config_class("dataset", kind)
    for number, example in enumerate(example_makers["dataset", kind](tmp_path / "data")):
        dataset = component(config.model_validate(example.params), example_dataset_io((32, 24), INPUTS))
        dataset.sample_fingerprints()
        assert all(map(dataset.unchanged, dataset.names()))
        for path in tmp_path.rglob("*"):
            os.utime(path, (number, number))
        assert not any(map(dataset.unchanged, dataset.names()))
