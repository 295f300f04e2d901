from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data import excluded as excluded_module
from skinfw.data import sample_search as search_module
from skinfw.data.excluded import EXCLUDED_FILE, excluded, write_excluded
from skinfw.data.sample_search import all_samples, find_samples, not_excluded
from skinfw.errors import DataError
from skinfw.interfaces import Dataset
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.system.paths_below import composed
from skinfw.testing import example_dataset_io

NAMES = ["a/front", "a/side", "b"]


@pytest.fixture
def samples(tmp_path: Path, write_sample: Callable[..., Path]) -> Path:
    for name in NAMES:
        write_sample(tmp_path / "samples" / name)
    return tmp_path / "samples"


ODD_NAMES = [
    " a", "a ", "a\nb", "a\r", "\ta", "100%", "%20a", "\"a\"", "\\", "\ufeffa", "a\u2028b", "a\x85b",
    "ä/ö", "caf\udce9", "#a", ""
]  # fmt: skip


def test_written_names_are_read(tmp_path: Path) -> None:
    assert excluded(tmp_path) == set()
    write_excluded(tmp_path, ODD_NAMES)
    assert excluded(tmp_path) == set(ODD_NAMES)
    write_excluded(tmp_path, ["b", "a/ä", "b"])
    assert (tmp_path / EXCLUDED_FILE).read_bytes() == b'"a/\\u00e4"\n"b"\n'


def test_what_editors_add_does_not_count(tmp_path: Path) -> None:
    (tmp_path / EXCLUDED_FILE).write_bytes(b'\xef\xbb\xbf"a/front"\r\n\r\n  "b" \r\n"caf\xc3\xa9"')
    assert excluded(tmp_path) == {"a/front", "b", "café"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'"a"\nb/c\n', "line 2: not the name of a sample as a JSON string"),
        (b'["a"]\n', "line 1: not the name"),
        (b'"a\n"', "line 1: not the name"),
        (b"[" * 100_000, "line 1: not the name"),
        (b"9" * 10_000, "line 1: not the name"),
        (b'"\xe9"', "byte 1 is not UTF-8"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / EXCLUDED_FILE).write_bytes(text)
    with pytest.raises(DataError, match=message):
        excluded(tmp_path)


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / EXCLUDED_FILE).mkdir()
    with pytest.raises(DataError, match=r"excluded\.jsonl: cannot be read"):
        excluded(tmp_path)
    (tmp_path / EXCLUDED_FILE).rmdir()
    with (tmp_path / EXCLUDED_FILE).open("wb") as file:
        file.truncate(2**40)  # holds nothing on the disk
    with pytest.raises(DataError, match=r"excluded\.jsonl: cannot be read: larger than 67,108,864 bytes"):
        excluded(tmp_path)
    (tmp_path / EXCLUDED_FILE).unlink()
    os.mkfifo(tmp_path / EXCLUDED_FILE)
    with pytest.raises(DataError, match=r"excluded\.jsonl: cannot be read: a FIFO"):
        excluded(tmp_path)


@pytest.mark.parametrize("name", [" a", "a\nb", "%61", "100%", "ä", "caf\udce9"])
def test_the_sample_that_is_named_is_excluded(
    tmp_path: Path, write_samples: Callable[..., list[Path]], name: str
) -> None:
    write_samples(tmp_path, [name, "a", "b", "100"])
    write_excluded(tmp_path, [name])
    assert sorted(find_samples(tmp_path)[1]) == ["100", "a", "b"]


def test_a_name_is_the_same_however_its_letters_are_composed(
    tmp_path: Path, write_samples: Callable[..., list[Path]]
) -> None:
    write_samples(tmp_path, ["e\u0301ve", "adam"])
    write_excluded(tmp_path, ["\u00e9ve"])
    assert find_samples(tmp_path)[1] == ["adam"]


def test_excluded_samples_are_not_found(samples: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_excluded(samples, ["a/side", "gone"])
    base, names = find_samples(samples)
    assert "no sample is called 'gone'" in caplog.text and "a/side" not in caplog.text
    assert base == samples and sorted(names) == ["a/front", "b"]
    assert sorted(all_samples(samples)[1]) == NAMES
    # with a glob the file lies where the names begin
    assert find_samples(samples / "a*")[1] == ["a/front"]


def test_lists_of_other_folders_are_noticed(samples: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_excluded(samples / "a", ["side"])
    (samples.parent / EXCLUDED_FILE).write_text("damaged", "utf-8")  # whosever it is
    assert sorted(find_samples(samples)[1]) == NAMES
    below = (
        f"{samples / 'a' / EXCLUDED_FILE}: excludes 1 sample that is used here, where only "
        f"{samples / EXCLUDED_FILE} counts: a/side; add such names there"
    )
    assert caplog.messages == [below]
    caplog.clear()
    write_excluded(samples, ["a/front", "a/side", "b"])
    write_excluded(samples / "a", ["front"])
    assert find_samples(samples / "a")[1] == ["side"]
    (above,) = caplog.messages
    assert above.startswith(f"{samples / EXCLUDED_FILE}: excludes 1 sample that is used here")
    assert f"only {samples / 'a' / EXCLUDED_FILE} counts: side; " in above


def test_many_folders_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[str]()

    def counting(name: str) -> str:
        calls[name] += 1
        return composed(name)

    for module in (excluded_module, search_module):
        monkeypatch.setattr(module, "composed", counting, raising=False)
    names = [f"{index}/front" for index in range(2000)]
    assert not_excluded(tmp_path, tmp_path, names) == names
    assert max(calls.values()) < 10


def test_all_excluded(samples: Path) -> None:
    write_excluded(samples, NAMES)
    with pytest.raises(DataError, match=r"all 3 samples are excluded; remove names from .*excluded\.jsonl"):
        find_samples(samples)


def test_the_folder_data_set_leaves_them_out(samples: Path) -> None:
    def dataset() -> Dataset:  # type: ignore[type-arg]
        io = example_dataset_io((32, 32), ("line",))
        return build(use("dataset", "folder", root=samples), Dataset, io)

    before = dataset().fingerprint()
    write_excluded(samples, ["b"])
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
        rows = prepare(tmp_path / "photos", output, *parts, PrepareConfig(num_workers=1)).rows
        return {row.sample: row.reason or row.status for row in rows}

    assert run() == {"anna": "made", "berta": "made", "carla": "made"}
    write_excluded(output, ["berta"])
    assert run() == {"anna": "kept", "berta": "excluded", "carla": "kept"}
    assert (output / "berta" / "body.png").is_file()
    write_excluded(output, [])
    assert set(run().values()) == {"kept"}


def test_the_photos_data_set_leaves_them_out(tmp_path: Path, write_photo: Callable[..., Path]) -> None:
    for index, name in enumerate(["anna", "berta"]):
        write_photo(tmp_path / "photos" / f"{name}.png", index)
    params = {"root": tmp_path / "photos", "cache": tmp_path / "cache", "prepare": {"num_workers": 1}}

    def names() -> list[str]:
        io = example_dataset_io((32, 32), ("line",))
        return list(build(use("dataset", "photos", **params), Dataset, io).names())

    assert names() == ["anna", "berta"]
    write_excluded(tmp_path / "cache", ["anna"])
    assert names() == ["berta"]
