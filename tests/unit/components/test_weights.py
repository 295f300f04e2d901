from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file

from skinfw.components.weights import WeightsFile, find_weights, hub_folder, load_weights
from skinfw.errors import UserError


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address, and the folder that it offers."""
    folder = tmp_path / "publisher"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def published(publisher: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsFile:
    """Weights that their publisher offers; nothing is looked up elsewhere."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    address, folder = publisher
    torch.save({"layer": torch.arange(3.0)}, folder / "net.pth")
    digest = hashlib.sha256((folder / "net.pth").read_bytes()).hexdigest()
    return WeightsFile("net.pth", f"{address}/net.pth", digest, "A small network", "MIT")


@pytest.fixture
def original(publisher: tuple[str, Path]) -> Path:
    """The publisher's own copy of the file."""
    return publisher[1] / "net.pth"


def test_weights_are_downloaded_once_and_kept(published: WeightsFile, original: Path) -> None:
    assert find_weights(published) == hub_folder() / "net.pth"
    original.unlink()
    assert load_weights(published)["layer"].tolist() == [0, 1, 2]


def test_weights_that_are_none_of_torch_are_kept_by_skinfw(published: WeightsFile, tmp_path: Path) -> None:
    file = replace(published, cache="skinfw")
    assert find_weights(file) == tmp_path / "cache" / "weights" / "net.pth"
    assert not hub_folder().exists()


def test_the_own_folder_comes_first_at_any_depth(
    published: WeightsFile, original: Path, tmp_path: Path
) -> None:
    own = tmp_path / "weights" / "below" / "net.pth"
    own.parent.mkdir(parents=True)
    own.write_bytes(original.read_bytes())
    assert find_weights(published) == own
    assert not hub_folder().exists()


def test_another_file_of_that_name_is_refused_with_both_hashes(
    published: WeightsFile, tmp_path: Path
) -> None:
    own = tmp_path / "weights" / "net.pth"
    own.parent.mkdir()
    own.write_bytes(b"other")
    with pytest.raises(UserError) as caught:
        find_weights(published)
    assert str(own) in str(caught.value)
    assert published.sha256 in str(caught.value)
    assert hashlib.sha256(b"other").hexdigest() in str(caught.value)


def test_weights_that_cannot_be_had_name_file_places_and_hash(
    published: WeightsFile, original: Path, tmp_path: Path
) -> None:
    original.unlink()
    with pytest.raises(UserError) as caught:
        find_weights(published)
    for told in ("net.pth", published.url, published.sha256, str(tmp_path / "weights"), str(hub_folder())):
        assert told in str(caught.value)
    assert not list(hub_folder().iterdir()), "no half-downloaded file is left"


def test_the_beginning_of_a_hash_is_enough(published: WeightsFile) -> None:
    assert find_weights(replace(published, sha256=published.sha256[:8])).is_file()
    with pytest.raises(UserError, match="begins with 00000000"):
        find_weights(replace(published, sha256="00000000"))


def test_a_download_that_is_another_file_is_not_kept(published: WeightsFile, original: Path) -> None:
    original.write_bytes(b"other")
    with pytest.raises(UserError, match=rf"now serves a different file \(.*\)\. Get .*{published.sha256}"):
        find_weights(published)
    assert not (hub_folder() / "net.pth").exists()


def test_a_file_that_does_as_well_is_taken_from_disk(
    published: WeightsFile, original: Path, tmp_path: Path
) -> None:
    own = tmp_path / "weights" / "net.pth"
    own.parent.mkdir()
    own.write_bytes(original.read_bytes() + b"packed anew")
    with pytest.raises(UserError, match="is not A small network"):
        find_weights(published)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    assert find_weights(replace(published, also=(digest,))) == own


def test_a_file_that_does_as_well_may_have_another_name_and_be_safetensors(
    published: WeightsFile, original: Path, tmp_path: Path
) -> None:
    own = tmp_path / "weights" / "sub" / "other.safetensors"
    own.parent.mkdir(parents=True)
    save_file({"weight": torch.ones(2)}, own)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    other = replace(published, also=(digest,), other_names=(own.name,))
    assert find_weights(other) == own
    assert torch.equal(load_weights(other)["weight"], torch.ones(2))
    own.write_bytes(b"damaged")
    damaged = hashlib.sha256(b"damaged").hexdigest()
    with pytest.raises(UserError, match="no readable weights"):
        load_weights(replace(other, also=(damaged,)))


def test_a_file_that_holds_no_weights_is_told(published: WeightsFile, original: Path) -> None:
    original.write_bytes(b"text")
    digest = hashlib.sha256(b"text").hexdigest()
    with pytest.raises(UserError, match="no readable weights"):
        load_weights(replace(published, sha256=digest))


def test_without_a_network_the_error_is_short(published: WeightsFile) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as unused:
        port = unused.server_port
    file = replace(published, url=f"http://127.0.0.1:{port}/net.pth")
    with pytest.raises(UserError) as caught:
        find_weights(file)
    text = str(caught.value)
    assert (
        "A small network is not on disk and cannot be downloaded (127.0.0.1 cannot be reached). Get" in text
    )
    assert "HTTPConnection" not in text
