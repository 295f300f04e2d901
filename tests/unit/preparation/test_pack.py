"""Packing sample folders: nothing is lost, nothing half written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from skinfw.cli import main
from skinfw.data.excluded import write_excluded
from skinfw.data.shard_lines import INDEX_FILE
from skinfw.data.shard_writer import ShardWriter
from skinfw.errors import DataError, RunError
from skinfw.preparation import pack as packing
from skinfw.preparation.pack import pack

NAMES = ("women/id_00000007/02_front", "anna", "b\u00e9n/" + "long " * 30 + "/front", "cleo")


def lines(shards: Path, first: str) -> list[dict[str, Any]]:
    found = map(json.loads, (shards / INDEX_FILE).read_text(encoding="utf-8").splitlines())
    return [line for line in found if next(iter(line)) == first]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Samples that are packed without being decoded."""
    for number, name in enumerate(NAMES):
        folder = tmp_path / "samples" / name
        folder.mkdir(parents=True)
        (folder / "apparel_head_foot.png").write_bytes(bytes([number]) * 700)
        (folder / "own notes.txt").write_bytes(b"")
    return tmp_path / "samples"


@pytest.fixture
def big(samples: Path) -> Path:
    """A sample of more than a MiB, the smallest limit of a shard."""
    (samples / "anna" / "body.png").write_bytes(os.urandom(2**20 + 1))
    return samples


def test_tar_unpacks_the_shards_to_the_samples(big: Path, tmp_path: Path) -> None:
    before = contents(big)
    report = pack(big, tmp_path / "shards", shard_mib=1)
    assert (report.samples, report.excluded, report.shards) == (4, 0, 2)
    paths = sorted((tmp_path / "shards").glob("*.tar"))
    assert report.bytes == sum(path.stat().st_size for path in paths)
    (tmp_path / "unpacked").mkdir()
    for path in paths:
        subprocess.run(["tar", "-xf", path, "-C", tmp_path / "unpacked"], check=True)
    assert contents(tmp_path / "unpacked") == before


def test_the_index_says_where_every_file_is(big: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    pack(big, shards, shard_mib=1)
    told = {
        f"{each['name']}/{file}": tuple(place)
        for each in lines(shards, "name")
        for file, place in each["files"].items()
    }
    found = {}
    for line in lines(shards, "shard"):
        path = shards / line["shard"]
        data = path.read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (line["bytes"], line["sha256"])
        with tarfile.open(path) as tar:
            found |= {member.name: (member.offset_data, member.size) for member in tar}
    assert told == found
    assert {each["name"]: each["group"] for each in lines(shards, "name")}[NAMES[0]] == "id_00000007"


@pytest.mark.parametrize("size", [0, 1, 512, 513, 9_000, 60_000])
def test_a_shard_is_as_large_as_allowed_and_as_tar_writes_it(size: int, tmp_path: Path) -> None:
    limit = 5 * tarfile.RECORDSIZE
    with ShardWriter(tmp_path, limit, 4) as writer:
        for number in range(200 if size < 600 else 8):
            writer.add(f"p{number}", {"a": bytes(size)}, group="", segmenter="", digest="0" * 64)
    first, *others = sorted(tmp_path.glob("*.tar"))
    with tarfile.open(first) as shard:
        count = len(shard.getmembers())
    assert first.read_bytes() == plain_tar(count, size)
    # the next sample would not have fitted
    assert others and (count == 1 or first.stat().st_size <= limit < len(plain_tar(count + 1, size)))


def plain_tar(count: int, size: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for number in range(count):
            member = tarfile.TarInfo(f"p{number}/a")
            member.size = size
            tar.addfile(member, io.BytesIO(bytes(size)))
    return data.getvalue()


def test_the_order_is_that_of_the_names_or_of_a_seed(samples: Path, tmp_path: Path) -> None:
    orders = {}
    for seed in (None, 0, 1, 2):
        pack(samples, tmp_path / f"{seed}", shuffle=seed)
        pack(samples, tmp_path / f"{seed} again", shuffle=seed)
        assert contents(tmp_path / f"{seed}") == contents(tmp_path / f"{seed} again")
        orders[seed] = [line["name"] for line in lines(tmp_path / f"{seed}", "name")]
    assert orders[None] == sorted(NAMES)
    assert all(sorted(order) == sorted(NAMES) for order in orders.values())
    assert len(set(map(tuple, orders.values()))) > 2


def test_a_glob_is_packed_as_the_data_set_folder_reads_it(samples: Path, tmp_path: Path) -> None:
    report = pack(samples.parent / "sam*" / "[ac]*", tmp_path / "shards")
    assert report.samples == 2
    assert [line["name"] for line in lines(tmp_path / "shards", "name")] == ["samples/anna", "samples/cleo"]


def test_samples_that_are_left_out_are_counted(samples: Path, tmp_path: Path) -> None:
    write_excluded(samples, ["anna"])
    done = CliRunner().invoke(main, ["pack", str(samples), str(tmp_path / "shards"), "--shuffle", "3"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("3 samples in 1 shard, 0.0 MiB; left out 1 excluded sample: ")
    assert sorted(line["name"] for line in lines(tmp_path / "shards", "name")) == sorted(
        set(NAMES) - {"anna"}
    )


def test_nothing_is_overwritten(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pack(samples, tmp_path / "empty")
    before = contents(tmp_path / "empty")
    (tmp_path / "file").touch()
    for name in ("empty", "file", "samples"):
        done = CliRunner().invoke(main, ["pack", str(samples), str(tmp_path / name)])
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert f"{tmp_path / name}: already exists" in done.stderr
    assert contents(tmp_path / "empty") == before


def test_of_two_processes_the_slower_one_replaces_nothing(samples: Path, tmp_path: Path) -> None:
    def faster(done: int, total: int) -> None:
        if done == total:
            (tmp_path / "shards").mkdir()
            (tmp_path / "shards" / "mine").touch()

    with pytest.raises(RunError, match="already exists"):
        pack(samples, tmp_path / "shards", progress=faster)
    assert list(contents(tmp_path / "shards")) == ["mine"]


@pytest.mark.parametrize("stop", ["record", "disk", "interrupt", "name", "file", "many"])
def test_what_fails_leaves_nothing_behind(
    stop: str, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, message = (2, "")
    if stop == "record":
        (samples / "cleo" / "sample.json").write_text("{", encoding="utf-8")
        message = f"{samples / 'cleo' / 'sample.json'}: cannot be read"
    elif stop == "name":
        (samples / "anna").rename(samples / os.fsdecode(b"ann\xe9"))
        message = "its name is not UTF-8; rename the folder"
    elif stop == "file":
        (samples / "anna" / os.fsdecode(b"not\xe9s")).touch()
        message = "its name is not UTF-8; rename the file"
    elif stop == "many":
        for number in range(999):  # besides two others
            (samples / "anna" / f"{number}.txt").touch()
        message = f"{samples / 'anna'}: has 1,001 files, but a sample in a shard has at most 1,000"
    elif stop == "disk":

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ShardWriter, "_close_shard", full)
        message = f"{tmp_path / 'shards'}: cannot be written: No space left on device"
    else:

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(packing, "_add", interrupted)
        expected, message = 130, "Interrupted; nothing was written."
    done = CliRunner().invoke(main, ["pack", str(samples), str(tmp_path / "shards")])
    assert done.exit_code == expected
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["samples"]


def test_what_a_killed_process_left_is_removed(samples: Path, tmp_path: Path) -> None:
    number = 2**22 - 1
    while psutil.pid_exists(number):
        number -= 1
    left = tmp_path / f".shards.{number}-0.tmp" / "new"
    left.mkdir(parents=True)
    (left / "00000.tar").touch()
    pack(samples, tmp_path / "shards")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["samples", "shards"]


def test_a_file_that_cannot_be_read_is_named(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MAX_SAMPLE_BYTES", 600)
    with pytest.raises(
        DataError, match=r"anna/apparel_head_foot\.png: cannot be read: larger than 600 bytes"
    ):
        pack(samples, tmp_path / "shards")


def test_without_samples_there_is_nothing_to_pack(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="contains no sample"):
        pack(tmp_path / "empty", tmp_path / "shards")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
