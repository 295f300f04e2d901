"""What is written lies below the folder that was named, whatever the names are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from skinfw.errors import DataError
from skinfw.system.paths_below import composed, name_error, on_disk, path_below, real_paths, without_suffix


@pytest.mark.parametrize(
    "name",
    ["a", "a/b c", " a", "a ", "a\nb", "%2e%2e/x", "...", "a..b", "con", "caf\udce9", "\u2028", "a\\b"],
)
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    assert path_below(tmp_path, name) == tmp_path / name
    path_below(tmp_path, name).parent.mkdir(exist_ok=True)
    path_below(tmp_path, name).write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "is empty"),
        (".", "contains '.'"),
        ("..", "contains '..'"),
        ("../x", "contains '..'"),
        ("a/../../x", "contains '..'"),
        ("a/.", "contains '.'"),
        ("/etc/x", "absolute"),
        ("//x", "absolute"),
        ("a//b", "contains ''"),
        ("a/", "contains ''"),
        ("a\0b", "zero byte"),
        ("ä" * 128, "longer than 255 bytes"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str, error: str) -> None:
    assert error in name_error(name)
    with pytest.raises(DataError, match="cannot hold"):
        path_below(tmp_path, name)


@pytest.mark.parametrize("name", ["C:/x", "C:x", "a\\..\\b", "a/con", "NUL.png", "x.", "x ", "a:b", "a\nb"])
def test_the_rules_of_windows(name: str) -> None:
    assert name_error(name, windows=True) and not name_error(name, windows=False)
    assert not name_error("WOMEN/id_1/01_1_front", windows=True)


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "inside").mkdir()
    (tmp_path / "out" / "away").symlink_to(tmp_path)
    (tmp_path / "out" / "loop").symlink_to("loop")
    (tmp_path / "out" / "near").symlink_to("inside")
    (tmp_path / "other").symlink_to("out")
    assert path_below(tmp_path / "other", "near/x") == tmp_path / "other" / "near" / "x"
    for name in ("away/x", "away", "loop/x"):
        with pytest.raises(DataError, match="a link leads out of"):
            path_below(tmp_path / "out", name)


@pytest.mark.parametrize(
    ("stored", "asked"), [("e\u0301", "\u00e9"), ("\u00e9", "e\u0301"), ("e\u0301\u00e9", "\u00e9e\u0301")]
)
def test_a_file_is_found_however_its_letters_are_composed(tmp_path: Path, stored: str, asked: str) -> None:
    (tmp_path / stored).mkdir()
    path = tmp_path / stored / f"{stored}.jpg"
    path.write_bytes(b"")
    assert on_disk(tmp_path / asked / f"{asked}.jpg") == path
    assert on_disk(path) == path
    missing = tmp_path / asked / "\u00e9\u00e9.png"
    assert on_disk(missing) == missing
    assert composed(stored) == composed(asked)


def test_a_folder_is_read_once_for_all_that_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    original = Path.iterdir

    def counting(folder: Path) -> Iterator[Path]:
        reads.append(folder)
        return original(folder)

    monkeypatch.setattr(Path, "iterdir", counting)
    for number in range(50):
        missing = tmp_path / f"\u6a21\u7279{number}_segment.png"
        assert on_disk(missing) == missing
    assert reads == [tmp_path]
    # a change of the folder shows
    (tmp_path / "e\u0301.png").touch()
    os.utime(tmp_path, ns=(1, 1))
    assert on_disk(tmp_path / "\u00e9.png") == tmp_path / "e\u0301.png"


def test_without_suffix() -> None:
    suffixes = (".jpg", ".jpeg")
    for name, expected in {
        "a.JPG": "a",
        "a.b.jpeg": "a.b",
        "a.b": "a.b",
        ".jpg": "",
        "..jpg": ".",
        "a": "a",
    }.items():
        assert without_suffix(name, suffixes) == expected


def test_a_path_is_the_same_however_it_is_spelled_and_folders_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "a.png").symlink_to(tmp_path / "photos" / "b.png")
    monkeypatch.chdir(tmp_path)
    looked, original = [], os.path.realpath
    monkeypatch.setattr("os.path.realpath", lambda path: looked.append(path) or original(path))
    real = real_paths()
    paths = [
        tmp_path / "photos" / "a.png",
        Path("link", "a.png"),
        tmp_path / "link" / ".." / "photos" / "a.png",
    ]
    assert [real(path) for path in paths] == [f"{original(tmp_path)}/photos/a.png"] * 3
    real(tmp_path / "photos" / "b.png")
    assert len(looked) == 3
