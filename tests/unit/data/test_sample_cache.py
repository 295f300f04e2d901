"""The cache of decoded samples: each is loaded once, by whichever process, and none is ever an old one."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw.components.field_names import KEYPOINTS
from skinfw.data.field_types import Field
from skinfw.data.keypoints import Keypoints
from skinfw.data.loading import Loader, ShuffledOrder
from skinfw.data.pixel_types import ImageType, MaskType
from skinfw.data.pose_types import KeypointsType
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import ABOUT_FILE, SampleCache, samples_folder
from skinfw.errors import DataError, UserError

PIXELS = (2**19 - 300) // 3


class Source:
    """Gives samples of half a MiB, and counts how often; their content is in ``contents``."""

    def __init__(self, *names: str, **contents: int) -> None:
        self.contents = {name: index for index, name in enumerate(names)} | contents
        self.loaded: list[str] = []
        self.kind: dict[str, Any] = {"size": [1, PIXELS]}
        self.broken: set[str] = set()
        self.edited: set[str] = set()

    def load(self, name: str) -> Sample:
        self.loaded.append(name)
        if name in self.broken:
            raise DataError(f"{name}: broken")
        pixels = np.full((1, PIXELS, 3), self.contents[name], np.uint8)
        pose = Keypoints(np.full((25, 3), 0.5, np.float32))
        return Sample(
            name, {"image": Field(ImageType(), pixels), KEYPOINTS: Field(KeypointsType(), pose)}, (4, 5)
        )

    def settings(self) -> Mapping[str, Any] | None:
        return self.kind

    def fingerprint(self) -> str:
        return str(sorted(self.contents.items()))

    def sample_fingerprints(self) -> Mapping[str, str]:
        return {name: str(content) for name, content in self.contents.items()}

    def unchanged(self, name: str) -> bool:
        return name not in self.edited


class Unhashed(Source):
    """Has no hash of each sample, as drawn people."""

    def sample_fingerprints(self) -> Mapping[str, str]:
        return {}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give every test its own cache."""
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    return samples_folder()


def open_cache(source: Source, mebibytes: int = 100) -> Any:
    return SampleCache(mebibytes, source).reading(source)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.name != ABOUT_FILE)


def values(samples: Any, *names: str) -> list[int]:
    return [int(samples.load(name)["image"].flat[0]) for name in names]


@pytest.mark.parametrize("kind", [Source, Unhashed])
def test_a_sample_is_loaded_once_by_all_runs(kind: type[Source], folder: Path) -> None:
    source = kind("a", "b", "c")
    samples = open_cache(source)
    assert values(samples, "a", "b", "c", "c", "b", "a") == [0, 1, 2, 2, 1, 0]
    assert source.loaded == ["a", "b", "c"]
    again = kind("a", "b", "c")
    assert values(open_cache(again), "c", "b", "a") == [2, 1, 0]
    assert again.loaded == ["c"]  # the first of a process, for its types
    assert len(files(folder)) == 3


def test_a_cached_sample_is_the_loaded_one() -> None:
    samples = open_cache(Source("a", "b"))
    direct = [samples.load(name) for name in "ab"]
    for one, other in zip(direct, [samples.load(name) for name in "ab"], strict=True):
        assert (one.name, one.source_size, list(one.fields)) == (other.name, (4, 5), list(other.fields))
        assert np.array_equal(one["image"], other["image"])
        assert np.array_equal(one[KEYPOINTS].points, other[KEYPOINTS].points)


def test_a_changed_sample_is_another_one() -> None:
    values(open_cache(Source(a=1, b=2)), "a", "b")
    changed = Source(a=1, b=3)
    assert values(open_cache(changed), "a", "b") == [1, 3]
    assert changed.loaded == ["a", "b"]
    back = Source(a=1, b=2, c=9)
    assert values(open_cache(back), "a", "b", "c") == [1, 2, 9]
    assert back.loaded == ["a", "c"]


def test_a_sample_that_was_edited_since_the_start_is_neither_written_nor_compared(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    values(open_cache(Source(a=1, b=2)), "b")
    source = Source(a=1, b=2)
    samples = open_cache(source)
    source.contents, source.edited = {"a": 8, "b": 9}, {"a", "b"}
    assert values(samples, "b", "a", "a") == [9, 8, 8]
    assert len(files(folder)) == 1 and not caplog.records
    assert values(open_cache(Source(a=1, b=2)), "a", "b", "a") == [1, 2, 1]


def test_without_hashes_a_change_of_the_data_makes_all_samples_others() -> None:
    values(open_cache(Unhashed(a=1, b=2)), "a", "b")
    changed = Unhashed(a=1, b=3)
    assert values(open_cache(changed), "a", "b") == [1, 3]
    assert changed.loaded == ["a", "b"]


def test_samples_of_one_content_share_a_file(folder: Path) -> None:
    source = Source(a=1, b=1)
    samples = open_cache(source)
    assert values(samples, "a", "b") == [1, 1]
    assert [samples.load(name).name for name in "ab"] == ["a", "b"]
    assert source.loaded == ["a"] and len(files(folder)) == 1


def test_other_settings_are_another_folder(folder: Path) -> None:
    one, other = Source(a=1), Source(a=1)
    other.kind = {"size": [2, PIXELS]}
    values(open_cache(one), "a")
    values(open_cache(other), "a")
    assert len({path.parent for path in files(folder)}) == 2
    assert '"size": [\n    2,' in "".join(path.read_text() for path in folder.glob(f"*/{ABOUT_FILE}"))


def test_no_cache_where_nothing_may_be_kept(folder: Path) -> None:
    source = Source("a")
    for samples in (open_cache(source, 0), open_cache_without_settings(source)):
        values(samples, "a", "a")
    assert source.loaded == ["a"] * 4 and not folder.exists()


def open_cache_without_settings(source: Source) -> Any:
    source.kind = None  # type: ignore[assignment]
    return open_cache(source)


def test_what_cannot_be_loaded_is_tried_again() -> None:
    source = Source("a")
    source.broken = {"a"}
    samples = open_cache(source)
    for _ in range(2):
        with pytest.raises(DataError, match="a: broken"):
            samples.load("a")
    source.broken = set()
    assert values(samples, "a", "a") == [0, 0]
    assert source.loaded == ["a", "a", "a"]


@pytest.mark.parametrize("damage", ["half", "empty", "bit", "folder"])
def test_a_damaged_file_is_loaded_and_written_again(damage: str, folder: Path) -> None:
    values(open_cache(Source("a", "b")), "a", "b")
    for file in files(folder):
        data = bytearray(file.read_bytes())
        if damage == "bit":
            data[1000] ^= 4
        file.write_bytes({"half": data[: len(data) // 2], "empty": b""}.get(damage, data))
        if damage == "folder":
            file.unlink()
            file.mkdir()
    for loaded in (["a", "b"], ["a"]) if damage != "folder" else (["a", "b"],):
        source = Source("a", "b")
        assert values(open_cache(source), "a", "b") == [0, 1]
        assert source.loaded == loaded


def test_a_file_that_is_damaged_during_a_run_is_loaded_and_written_again(folder: Path) -> None:
    source = Source("a", "b")
    samples = open_cache(source)
    assert values(samples, "a", "b", "a", "b") == [0, 1, 0, 1]
    for file in files(folder):
        file.write_bytes(file.read_bytes()[:2000])
    assert values(samples, "a", "b", "a", "b") == [0, 1, 0, 1]
    assert source.loaded == ["a", "b"] * 2


def test_samples_that_differ_from_the_data_set_are_removed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin may depend on something that its settings do not say."""

    class Forgetful(Source):
        def fingerprint(self) -> str:
            return ""

        def sample_fingerprints(self) -> Mapping[str, str]:
            return dict.fromkeys(self.contents, "") | {name: name for name in self.contents}

    values(open_cache(Forgetful(a=1, b=2)), "a", "b")
    changed = Forgetful(a=3, b=4)
    assert values(open_cache(changed), "a", "b", "a", "b") == [3, 4, 3, 4]
    assert changed.loaded == ["a", "b"]
    assert [record.levelno for record in caplog.records if "held other samples" in record.message] == [
        logging.WARNING
    ]


def test_a_type_that_a_process_has_not_seen_is_loaded(folder: Path) -> None:
    class Two(Source):
        def load(self, name: str) -> Sample:
            sample = super().load(name)
            mask = Field(MaskType(inside="image" if name < "c" else ""), np.ones((1, 1), bool))
            return Sample(name, {**sample.fields, "mask": mask})

    values(open_cache(Two(*"abcd")), *"abcd")
    source = Two(*"abcd")
    samples = open_cache(source)
    assert [samples.load(name).fields["mask"].type for name in "abcd"] == [
        MaskType(inside="image"), MaskType(inside="image"), MaskType(), MaskType()
    ]  # fmt: skip
    assert source.loaded == ["a", "c"]


def test_samples_of_too_many_kinds_are_not_cached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skinfw.data import sample_cache

    class Growing(Source):
        def load(self, name: str) -> Sample:
            sample = super().load(name)
            return Sample(name, {"image": Field(ImageType(), sample["image"][:, : 9 + self.contents[name]])})

    monkeypatch.setattr(sample_cache, "MAX_KINDS", 2)
    source = Growing(*"abc")
    samples = open_cache(source)
    assert [samples.load(name)["image"].shape[1] for name in "abcabc"] == [9, 10, 11] * 2
    assert source.loaded == [*"abc", "c"] and len(files(folder)) == 2


def test_the_limit_holds_and_the_oldest_give_way(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_CACHE_MIB", "2")
    first = open_cache(Source(*"ab"))
    values(first, *"ab")
    for file in files(folder):
        os.utime(file, (1, 1))
    used = open_cache(Source(*"ab"))
    values(used, "b")
    time.sleep(0.02)
    second = Source(c=2, d=3, e=4, f=5)
    samples = open_cache(second)
    assert values(samples, *"cdefcdef") == [2, 3, 4, 5] * 2
    # a and b make room, a first; the limit has room for three, and a tenth of it is freed at once
    assert sum(path.stat().st_size for path in files(folder)) <= 2 * 2**20
    assert len(second.loaded) == 4 + 1
    assert [record.message.split(": ")[1] for record in caplog.records if "is full" in record.message] == [
        "is full"
    ]
    assert not list(folder.glob("*/.*"))


def test_the_limit_of_one_run_removes_no_samples_of_others(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others = Source(*"abcdefgh")
    values(open_cache(others), *"abcdefgh")
    before = files(folder)
    for file in before:
        os.utime(file, (1, 1))
    small = Source(x=20, y=21)
    assert values(open_cache(small, 2), *"xyxy") == [20, 21] * 2
    assert files(folder) == before and small.loaded == [*"xyxy"]
    assert [record.message.split(". ")[0] for record in caplog.records] == [
        f"{folder}: is full: it holds 2 MiB (data.sample_cache) or its disk is full"
    ]


def test_the_limit_of_the_user_holds_for_all_runs(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    values(open_cache(Source(*"abcdefgh")), *"abcdefgh")
    for file in files(folder):
        os.utime(file, (1, 1))
    monkeypatch.setenv("SKINFW_CACHE_MIB", "2")
    new = Source(x=20, y=21)
    assert values(open_cache(new), *"xyxy") == [20, 21] * 2
    assert new.loaded == [*"xy"] and not caplog.records
    assert sum(path.stat().st_size for path in files(folder)) <= 2 * 2**20
    values(open_cache(Source(*"klmno")), *"klmno")
    assert "is full: it holds 2 MiB (SKINFW_CACHE_MIB)" in caplog.text
    monkeypatch.setenv("SKINFW_CACHE_MIB", "0")
    assert values(open_cache(new), "x") == [20] and new.loaded == [*"xyx"]


@pytest.mark.parametrize("given", ["many", "-1", "1.5", "9" * 5000])
def test_a_limit_that_is_not_a_number_is_rejected(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_CACHE_MIB", given)
    with pytest.raises(UserError, match="SKINFW_CACHE_MIB: expected a whole number of MiB, found"):
        open_cache(Source("a"))


def test_a_loader_in_processes_fills_and_reads_the_same_cache(folder: Path) -> None:
    names = [f"{index:02}" for index in range(12)]
    source = Source(*names)
    order = ShuffledOrder(len(names), seed=0)
    loader = Loader(open_cache(source), names, batch_size=3, num_workers=2, order=order)
    for epoch in range(2):
        order.start(epoch, 0)
        batches = [(name, int(pixels.flatten()[0] * 255 + 0.5)) for batch in loader
                   for name, pixels in zip(batch.names, batch["image"], strict=True)]  # fmt: skip
        assert sorted(batches) == [(name, index) for index, name in enumerate(names)]
    assert not source.loaded  # this process loaded none
    assert len(files(folder)) == 12
    other = Source(*names)
    assert values(open_cache(other), *names) == list(range(12))
    assert other.loaded == ["00"]


def test_samples_travel_to_other_processes_without_their_types() -> None:
    source = Source("a")
    samples = open_cache(source)
    values(samples, "a")
    other = pickle.loads(pickle.dumps(samples))
    assert values(other, "a", "a") == [0, 0]
    assert other._source.loaded == ["a", "a"]  # as `source` has loaded it, and once more


SCRIPT = """
import sys
import numpy as np
from skinfw.data.field_types import Field
from skinfw.data.pixel_types import ImageType
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import SampleCache

class Source:
    def __init__(self): self.loaded = 0
    def load(self, name):
        self.loaded += 1
        return Sample(name, {"image": Field(ImageType(), np.full((200, 200, 3), int(name) % 256, np.uint8))})
    def settings(self): return {"size": [200, 200]}
    def fingerprint(self): return ""
    def sample_fingerprints(self): return {}
    def unchanged(self, name): return True

source = Source()
samples = SampleCache(1000, source).reading(source)
print("ready", flush=True)
order = np.random.default_rng(int(sys.argv[1])).permutation(400)
for turn in range(int(sys.argv[2])):
    for index in order:
        image = samples.load(str(index))["image"]
        assert image.shape == (200, 200, 3) and (image == index % 256).all(), index
print(source.loaded, flush=True)
"""


def start(seed: int, turns: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(seed), str(turns)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_that_build_it_at_once_or_are_killed_leave_whole_samples(folder: Path) -> None:
    together = [start(seed, 2) for seed in range(3)]
    killed = start(4, 1000)
    assert killed.stdout is not None and killed.stdout.readline() == "ready\n"
    while len(list(folder.glob("*/*"))) < 50:
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    for each in together:
        assert each.communicate()[0].startswith("ready\n") and each.returncode == 0
    last = start(5, 1)
    output, _ = last.communicate()
    assert (last.returncode, output) == (0, "ready\n1\n")
    assert len(files(folder)) == 400 + len(list(folder.glob("*/.*.tmp")))


def test_a_folder_that_cannot_be_written_is_reported_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir()
    folder.write_text("in the way")
    source = Source("a")
    cache = SampleCache(100, source)
    for _ in range(2):
        assert values(cache.reading(source), "a", "a") == [0, 0]
    assert source.loaded == ["a"] * 4
    assert caplog.text.count("a file is in the way") == caplog.text.count("SKINFW_CACHE") == 1


def test_a_disk_that_fails_later_is_reported_once(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skinfw.data import sample_cache

    def fail(path: str, data: bytes) -> None:
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(sample_cache, "write_whole", fail)
    source = Source("a", "b")
    assert values(open_cache(source), "a", "b", "a") == [0, 1, 0]
    assert source.loaded == ["a", "b", "a"]
    assert caplog.text.count("Disk quota exceeded") == 1


def test_it_can_be_removed_while_it_is_used(folder: Path) -> None:
    import shutil

    source = Source("a", "b")
    samples = open_cache(source)
    values(samples, "a")
    shutil.rmtree(folder)
    assert values(samples, "a", "b", "a", "b") == [0, 1, 0, 1]
    assert source.loaded == ["a", "a", "b"]
