from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from skinfw.errors import UserError
from skinfw.weights import WeightsFile, find_weights, hub_folder, load_weights


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsFile:
    """Weights that their publisher offers as a file on this disk; nothing is looked up elsewhere."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    path = tmp_path / "publisher" / "net.pth"
    path.parent.mkdir()
    torch.save({"layer": torch.arange(3.0)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return WeightsFile("net.pth", path.as_uri(), digest, "A small network")


def publisher(file: WeightsFile) -> Path:
    return Path(file.url.removeprefix("file://"))


def test_weights_are_downloaded_once_and_kept(published: WeightsFile) -> None:
    assert find_weights(published) == hub_folder() / "net.pth"
    publisher(published).unlink()
    assert load_weights(published)["layer"].tolist() == [0, 1, 2]


def test_the_own_folder_comes_first_at_any_depth(published: WeightsFile, tmp_path: Path) -> None:
    own = tmp_path / "weights" / "below" / "net.pth"
    own.parent.mkdir(parents=True)
    own.write_bytes(publisher(published).read_bytes())
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


def test_weights_that_cannot_be_had_name_file_places_and_hash(published: WeightsFile, tmp_path: Path) -> None:
    publisher(published).unlink()
    with pytest.raises(UserError) as caught:
        find_weights(published)
    for told in ("net.pth", published.url, published.sha256, str(tmp_path / "weights"), str(hub_folder())):
        assert told in str(caught.value)
    assert not list(hub_folder().iterdir()), "no half-downloaded file is left"


def test_the_beginning_of_a_hash_is_enough(published: WeightsFile) -> None:
    short = WeightsFile(published.name, published.url, published.sha256[:8], published.purpose)
    assert find_weights(short).is_file()
    wrong = WeightsFile(published.name, published.url, "00000000", published.purpose)
    with pytest.raises(UserError, match="begins with 00000000"):
        find_weights(wrong)


def test_a_file_that_holds_no_weights_is_told(published: WeightsFile, tmp_path: Path) -> None:
    path = publisher(published)
    path.write_bytes(b"text")
    digest = hashlib.sha256(b"text").hexdigest()
    with pytest.raises(UserError, match="no readable weights"):
        load_weights(WeightsFile("net.pth", path.as_uri(), digest, "A text"))
