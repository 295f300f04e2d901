from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skinfw.build import build
from skinfw.component_spec import use
from skinfw.data.sample_search import all_samples, find_samples
from skinfw.data.struck_out import STRUCK_OUT_FILE, struck_out, write_struck_out
from skinfw.errors import DataError
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare

NAMES = ["a/front", "a/side", "b"]


@pytest.fixture
def samples(tmp_path: Path, write_sample: Callable[..., Path]) -> Path:
    for name in NAMES:
        write_sample(tmp_path / "samples" / name)
    return tmp_path / "samples"


def test_written_names_are_read(tmp_path: Path) -> None:
    assert struck_out(tmp_path) == set()
    write_struck_out(tmp_path, ["b", "a/ä", "b", "caf\udce9"])
    assert (tmp_path / STRUCK_OUT_FILE).read_bytes() == "a/ä\nb\n".encode() + b"caf\xe9\n"
    assert struck_out(tmp_path) == {"a/ä", "b", "caf\udce9"}


def test_what_editors_add_does_not_count(tmp_path: Path) -> None:
    (tmp_path / STRUCK_OUT_FILE).write_bytes(b"\xef\xbb\xbfa/front\r\n\r\n  b \r\n")
    assert struck_out(tmp_path) == {"a/front", "b"}


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / STRUCK_OUT_FILE).mkdir()
    with pytest.raises(DataError, match=r"struck_out\.txt: cannot be read"):
        struck_out(tmp_path)


def test_struck_out_samples_are_not_found(samples: Path) -> None:
    write_struck_out(samples, ["a/side", "gone"])
    base, names = find_samples(samples)
    assert base == samples and sorted(names) == ["a/front", "b"]
    assert sorted(all_samples(samples)[1]) == NAMES
    # with a glob the file lies where the names begin
    assert find_samples(samples / "a*")[1] == ["a/front"]


def test_all_struck_out(samples: Path) -> None:
    write_struck_out(samples, NAMES)
    with pytest.raises(DataError, match=r"all 3 samples are struck out; take names out of .*struck_out\.txt"):
        find_samples(samples)


def test_the_folder_data_set_leaves_them_out(samples: Path) -> None:
    def dataset() -> Dataset:  # type: ignore[type-arg]
        return build(use("dataset", "folder", root=samples), Dataset, DatasetIO((32, 32), ("line",)))

    before = dataset().fingerprint()
    write_struck_out(samples, ["b"])
    assert list(dataset().names()) == ["a/front", "a/side"]
    assert dataset().fingerprint() != before


def test_prepare_leaves_them_out_and_leaves_them_alone(
    tmp_path: Path, write_photo: Callable[..., Path]
) -> None:
    for index, name in enumerate(["anna", "berta", "carla"]):
        write_photo(tmp_path / "photos" / f"{name}.png", index)
    output = tmp_path / "samples"
    parts = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")

    def run() -> dict[str, str]:
        rows = prepare(tmp_path / "photos", output, *parts, PrepareConfig(workers=1)).rows
        return {row.sample: row.reason or row.status for row in rows}

    assert run() == {"anna": "made", "berta": "made", "carla": "made"}
    write_struck_out(output, ["berta"])
    assert run() == {"anna": "kept", "berta": "struck out", "carla": "kept"}
    assert (output / "berta" / "body.png").is_file()
    write_struck_out(output, [])
    assert set(run().values()) == {"kept"}


def test_the_photos_data_set_leaves_them_out(tmp_path: Path, write_photo: Callable[..., Path]) -> None:
    for index, name in enumerate(["anna", "berta"]):
        write_photo(tmp_path / "photos" / f"{name}.png", index)
    params = {"root": tmp_path / "photos", "cache": tmp_path / "cache", "prepare": {"workers": 1}}

    def names() -> list[str]:
        io = DatasetIO((32, 32), ("line",))
        return list(build(use("dataset", "photos", **params), Dataset, io).names())

    assert names() == ["anna", "berta"]
    write_struck_out(tmp_path / "cache", ["anna"])
    assert names() == ["berta"]
