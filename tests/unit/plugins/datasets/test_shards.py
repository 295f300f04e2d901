"""Samples in tar shards are those of the folders that were packed, wherever the shards are."""

from __future__ import annotations

import gc
import json
import os
import pickle
import shutil
import signal
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import cv2
import fsspec
import numpy as np
import pytest
import torch

from skinfw import Pipeline, hookimpl
from skinfw.components.field_names import APPAREL, LINE, SKIN
from skinfw.components.reference import use
from skinfw.components.trust import connections
from skinfw.data.image_file import decode_image
from skinfw.data.loading import Loader, ShuffledOrder
from skinfw.data.sample import Sample
from skinfw.data.sample_files import PackedFiles
from skinfw.data.sample_folder import FileParts
from skinfw.data.sample_hash import sample_hash
from skinfw.data.shard_lines import INDEX_FILE
from skinfw.data.shard_writer import ShardWriter
from skinfw.errors import DataError, TrustError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.pack import pack
from skinfw.preparation.prepare import prepare
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.system import address
from skinfw.testing import example_dataset_io
from skinfw_plugins.datasets.config import FolderConfig, ShardsConfig
from skinfw_plugins.datasets.folder import FolderDataset
from skinfw_plugins.datasets.shards import ShardsDataset

Make = Callable[..., Any]
INPUTS = (APPAREL, LINE, SKIN)


def opened(root: str | Path) -> ShardsDataset:
    io = example_dataset_io((32, 24), INPUTS, needs_keypoints=True, mask_margin=2)
    return ShardsDataset(ShardsConfig(root=str(root)), io)


def content(sample: Sample) -> list[Any]:
    arrays = [(name, getattr(each.value, "points", each.value)) for name, each in sample.fields.items()]
    return [
        sample.name,
        sample.source_size,
        *((name, array.dtype, array.tobytes()) for name, array in arrays),
    ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> FolderDataset:
    """Prepared photos, with a copy and people of the same id, and a sample that skinfw did not prepare."""
    from drawn_photos import write_drawn_photo

    folder = tmp_path_factory.mktemp("folders")
    for name, seed in (("a", 0), ("b", 1), ("c", 0), ("id_00000001/d", 2), ("id_00000001/e", 1)):
        write_drawn_photo(folder / "photos" / f"{name}.png", seed)
    components = (use("segmenter", "deepfashion"), use("pose_encoder", "openpose"))
    prepare(folder / "photos", folder / "out", *components, PrepareConfig(num_workers=1))
    record = json.loads((folder / "out" / "b" / "sample.json").read_text())
    record["made_with"]["segmenter"]["type"] = "skin_color"
    (folder / "out" / "b" / "sample.json").write_text(json.dumps(record))
    shutil.copytree(folder / "out" / "a", folder / "out" / "plain")
    for name in ("sample.json", "mask.png"):
        (folder / "out" / "plain" / name).unlink()
    io = example_dataset_io((32, 24), INPUTS, needs_keypoints=True, mask_margin=2)
    return FolderDataset(FolderConfig(root=folder / "out"), io)


@pytest.fixture(scope="module")
def packed(folders: FolderDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shards = tmp_path_factory.mktemp("packed") / "shards"
    pack(folders.config.root, shards, shuffle=5)
    return shards


@pytest.fixture
def shards(packed: Path, tmp_path: Path) -> Path:
    """Shards of one's own: two, so that one can be damaged."""
    shutil.copytree(packed, tmp_path / "shards")
    return tmp_path / "shards"


class Ranges(SimpleHTTPRequestHandler):
    """Serves byte ranges, which Python's own server does not, and counts what it sends."""

    sent: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        given = self.headers.get("Range")
        if given is None or not path.is_file():
            super().do_GET()
            return
        start, last = map(int, given.removeprefix("bytes=").split("-"))
        data = path.read_bytes()[start : last + 1]
        self.sent.append(len(data))
        self.send_response(206)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, type], str]]:
    """Serve a folder; return its address."""
    monkeypatch.setattr(address, "PAUSE", 0.0)
    monkeypatch.setattr(Ranges, "sent", [])
    servers = []

    def start(folder: Path, handler: type) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_everything_is_as_in_the_folders(folders: FolderDataset, packed: Path) -> None:
    data = opened(packed)
    names = list(folders.names())
    assert list(data.names()) == names
    assert [data.group(name) for name in names] == [folders.group(name) for name in names]
    assert len({data.group(name) for name in names}) < len(names)
    assert [data.mask_source(name) for name in names] == [folders.mask_source(name) for name in names]
    assert data.mask_source("b") == "skin_color"
    assert dict(data.sample_fingerprints()) == dict(folders.sample_fingerprints())
    assert data.fingerprint() == folders.fingerprint()
    for name in names:
        assert content(data.load(name)) == content(folders.load(name))


@pytest.mark.parametrize("where", ["memory", "http"])
def test_shards_may_be_on_a_server(
    where: str, folders: FolderDataset, packed: Path, serve: Callable[..., str]
) -> None:
    if where == "memory":
        root = "memory://bucket/shards"
        fsspec.filesystem("memory").put(str(packed), "/bucket/", recursive=True)
    else:
        root = serve(packed.parent, Ranges) + "/shards/"
    data = opened(root)
    assert list(data.names()) == list(folders.names())
    travelled = pickle.loads(pickle.dumps(data))
    for name in folders.names():
        assert content(data.load(name)) == content(folders.load(name)) == content(travelled.load(name))
    assert travelled.fingerprint() == folders.fingerprint()
    if where == "http":
        whole = (packed / "00000.tar").stat().st_size
        # the index and its end once, and the samples twice, each by one request
        assert len(Ranges.sent) == 2 + 2 * len(folders.names())
        assert max(Ranges.sent) < whole / 3 and sum(Ranges.sent[2:]) < 2 * whole


def test_an_untrusted_run_reads_no_address(packed: Path) -> None:
    fsspec.filesystem("memory").put(str(packed), "/untrusted/", recursive=True)
    with connections(False):
        opened(packed).names()
        with pytest.raises(TrustError, match="the data at memory://untrusted/shards is not on disk"):
            opened("memory://untrusted/shards").names()


def damage(shards: Path, how: str) -> str:
    """Damage a shard; return the error."""
    tar, index = shards / "00000.tar", shards / INDEX_FILE
    data = tar.read_bytes()
    if how == "shorter":
        tar.write_bytes(data[:-512])
        return f"{tar}: has {len(data) - 512:,} bytes, and {len(data):,} in index.jsonl: it is damaged"
    if how == "bit":
        first = json.loads(index.read_text(encoding="utf-8").splitlines()[1])
        at = first["files"]["keypoints.json"][0] + 50
        tar.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        return f"{tar}: {first['name']}: its files are not those in index.jsonl: the shard is damaged"
    tar.unlink()
    if how == "missing":
        return f"{tar}: is missing; copy it there"
    tar.mkdir()
    return f"{tar}: is not a regular file"


@pytest.mark.parametrize("how", ["missing", "shorter", "bit", "folder"])
def test_a_damaged_shard_is_one_clear_line(how: str, shards: Path) -> None:
    message = damage(shards, how)
    data = opened(shards)
    with pytest.raises(DataError) as caught:
        for name in data.names():
            data.load(name)
    assert message in str(caught.value) and "\n" not in str(caught.value)


EDITS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "cut": (lambda lines: lines[:-2], "its end is missing after line 7; copy it again"),
    "in a line": (lambda lines: [*lines[:-1], lines[-1][:-3]], "line 9: it is cut off"),
    "lost line": (lambda lines: lines[:1] + lines[2:], "line 7: 00000.tar does not fit its samples"),
    "twice": (lambda lines: [*lines[:2], lines[1], *lines[3:]], "two samples are called"),
    "order": (lambda lines: lines[1:], "line 1: another line must be here"),
    "other": (lambda _: ['{"photo": 1}\n'], "line 1: it is cut off, or not from an index of shards"),
}
WORDS = {
    '"skinfw_shards":2': ('"skinfw_shards":1', "has version 2, and this skinfw reads version 1; use"),
    '"total_samples":7': ('"total_samples":6', "its totals differ from the 6 samples in 1 shard"),
    '"name":"../a"': ('"name":"a"', "'../a' is not a name of a sample or file: the path contains '..'"),
    '"x/body.png"': ('"body.png"', "a file is in a subfolder"),
    '"body.png":[-': ('"body.png":[', "files.body.png.0: Input should be greater than or equal to 0"),
    '"shard":"../00000.tar"': ('"shard":"00000.tar"', "'../00000.tar' is not the name of a shard"),
}


@pytest.mark.parametrize("edit", [*EDITS, *WORDS])
def test_a_damaged_index_is_one_clear_line(edit: str, shards: Path) -> None:
    index = shards / INDEX_FILE
    text = index.read_text(encoding="utf-8")
    if edit in EDITS:
        change, message = EDITS[edit]
        index.write_text("".join(change(text.splitlines(keepends=True))), encoding="utf-8")
    else:
        before, message = WORDS[edit]
        assert before in text
        index.write_text(text.replace(before, edit), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        opened(shards).names()
    assert str(caught.value).startswith(f"{index}: ")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_line_without_end_is_not_read(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "CHUNK", 1000)
    opened(shards).names()
    (shards / INDEX_FILE).write_bytes(b"x" * 10_000)
    assert sum(map(len, address.AddressedFolder(str(shards)).lines(INDEX_FILE, 2500))) == 3000
    (shards / INDEX_FILE).unlink()
    with pytest.raises(DataError, match=r"index\.jsonl: is missing; copy it there"):
        opened(shards).names()


def test_the_data_sets_of_a_run_share_an_index_until_it_changes(shards: Path) -> None:
    first, second = opened(shards), opened(shards)
    assert first.names() is second.names()
    index = shards / INDEX_FILE
    index.write_text(index.read_text(encoding="utf-8").replace('"name":"a"', '"name":"z"'), encoding="utf-8")
    assert "a" in second.names() and "a" not in opened(shards).names()


def test_an_index_of_other_shards_is_noticed(shards: Path, folders: FolderDataset, tmp_path: Path) -> None:
    pack(folders.config.root, tmp_path / "other", shuffle=6)
    shutil.copy(tmp_path / "other" / INDEX_FILE, shards)
    data = opened(shards)
    errors = []
    for name in data.names():
        with pytest.raises(
            DataError, match="of another index; copy both again, or pack the samples again"
        ) as one:
            data.load(name)
        errors.append(str(one.value))
    assert len(set(errors)) == len(errors)


def test_skipping_leaves_out_what_cannot_be_read(shards: Path, caplog: pytest.LogCaptureFixture) -> None:
    damage(shards, "bit")
    data = opened(shards)
    names = list(data.names())
    read = [name for batch in Loader(data, names, batch_size=2, skip_corrupt=True) for name in batch.names]
    assert len(read) == len(names) - 1 and len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"skipped: {shards / '00000.tar'}: ")
    caplog.clear()
    damage(shards, "missing")
    with pytest.raises(DataError, match="no training sample can be read"):
        order = ShuffledOrder(len(names), 0)
        list(Loader(opened(shards), names, batch_size=2, skip_corrupt=True, order=order))
    # once, and not for every sample
    assert len(caplog.messages) == 1 and "00000.tar: is missing" in caplog.messages[0]


def test_a_server_that_fails_is_one_clear_line(packed: Path, serve: Callable[..., str]) -> None:
    root = serve(packed, Ranges)
    gone = opened(root)
    gone.names()
    closed = root.replace(root.rpartition(":")[2], "1")
    with pytest.raises(DataError, match=rf"^{closed}/index\.jsonl: cannot be read: .*127\.0\.0\.1"):
        opened(closed).names()
    with pytest.raises(DataError, match=rf"^{root}/nowhere/index\.jsonl: is missing"):
        opened(f"{root}/nowhere").names()
    with pytest.raises(DataError, match=r"^nothing://x: cannot be opened: Protocol not known: nothing"):
        opened("nothing://x").names()
    # Python's own server knows no ranges
    with pytest.raises(DataError, match=r"00000\.tar: the server sends whole files instead of byte ranges"):
        opened(serve(packed, Quiet)).load("a")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_server_is_asked_again(packed: Path, serve: Callable[..., str]) -> None:
    failed: list[str] = []

    class Troubled(Ranges):
        def do_GET(self) -> None:
            if self.path in failed:
                super().do_GET()
            else:
                failed.append(self.path)
                self.send_error(503)

    assert opened(serve(packed, Troubled)).load("a").name == "a"
    assert failed == ["/index.jsonl", "/00000.tar"]


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(DataError, match="s3://x: needs a package that is not installed: Install s3fs"):
        opened("s3://x").names()


def test_an_input_of_ones_own_gets_a_file(tmp_path: Path) -> None:
    image = cv2.imencode(".png", np.array([[[0, 0, 0, 255]]], np.uint8))[1].tobytes()
    parts = FileParts(PackedFiles(Path("anna"), {f"{APPAREL}.png": image, "depth.npy": b"mine"}))
    path = parts.file("depth.npy")
    assert path is not None and path.read_bytes() == b"mine" and parts.file("other.npy") is None
    del parts
    gc.collect()
    assert not path.parent.exists()


class Interrupter:
    """Presses Ctrl-C at one step."""

    @hookimpl
    def step_ended(self, step: int) -> None:
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)


def results(run: Run) -> tuple[Any, ...]:
    metrics = json.loads(run.metrics_path.read_text())["test"]
    logged = [(each["step"], each["losses"]) for each in run.read_log() if each["event"] == "step"]
    state = {name: each.tolist() for name, each in read_checkpoint(run.checkpoint("last")).tensors.items()}
    return (
        state,
        metrics["names"],
        metrics["values"],
        logged,
        run.data_path.read_text(),
        run.split_path.read_text(),
    )


def test_a_run_is_that_on_the_folders_bit_for_bit_also_when_interrupted(
    tmp_path: Path, tiny_spec: Make, write_samples: Make
) -> None:
    write_samples(tmp_path / "people", [f"person {number}" for number in range(20)])
    pack(tmp_path / "people", tmp_path / "shards", shuffle=1)

    def pipeline(kind: str, root: str, **arguments: Any) -> Pipeline:
        spec = tiny_spec(baselines=[])
        spec["data"]["dataset"] = {"type": kind, "root": str(tmp_path / root)}
        return Pipeline(spec, output=tmp_path / f"run on {root}", **arguments)

    folder = pipeline("folder", "people").fit().run
    with pytest.raises(KeyboardInterrupt):
        pipeline("shards", "shards", hooks=[Interrupter()]).fit()
    assert read_checkpoint(tmp_path / "run on shards" / "checkpoints" / "last.safetensors").progress.step == 3
    assert results(pipeline("shards", "shards", resume=True).fit().run) == results(folder)


COUNT = 100_000


def test_a_hundred_thousand_samples_take_little_memory_and_go_on_exactly(tmp_path: Path) -> None:
    images = [np.full((2, 2, 4), shade, np.uint8) for shade in range(64, 192)]
    for image in images:
        image[..., 3] = 255
    pngs = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    samples = [{f"{APPAREL}.png": png, "body.png": png} for png in pngs]
    digests = [sample_hash(PackedFiles(Path("x"), files)) for files in samples]
    with ShardWriter(tmp_path, 2**26, 4) as writer:
        for number in range(COUNT):
            which = number * 7919 % len(samples)
            name = f"person-{number:06d}"
            writer.add(name, samples[which], group=name, segmenter="", digest=digests[which])
    assert writer.shards > 3
    data = ShardsDataset(ShardsConfig(root=str(tmp_path)), example_dataset_io((2, 2), (APPAREL,)))
    tracemalloc.start()
    try:
        names = data.names()
        in_memory = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(names) == COUNT
    assert in_memory < 200 * COUNT  # the names alone take 62 bytes each

    def batches(skip: int, count: int) -> Iterator[tuple[Sequence[str], torch.Tensor]]:
        order = ShuffledOrder(COUNT, 3)
        order.start(1, skip * 32)
        loaded = zip(range(count), Loader(data, names, batch_size=32, order=order), strict=False)
        return ((batch.names, batch["body"]) for _, batch in loaded)

    tracemalloc.start()
    try:
        whole = list(batches(0, 8))
        after = [tracemalloc.get_traced_memory()[0]]
        for _ in batches(8, 20):
            pass
        after.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert after[1] < after[0] + 200_000
    resumed = list(batches(5, 3))
    assert [names for names, _ in resumed] == [names for names, _ in whole[5:]]
    assert all(torch.equal(one, other) for (_, one), (_, other) in zip(resumed, whole[5:], strict=True))
    # what was read is what was written
    which = int(whole[0][0][0].removeprefix("person-")) * 7919 % len(samples)
    expected = np.asarray(decode_image(pngs[which], "x").image.convert("RGB"))[0, 0] / np.float32(255)
    assert np.allclose(whole[0][1][0, :, 0, 0].numpy(), expected)
