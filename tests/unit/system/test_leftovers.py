from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from skinfw.errors import RunError
from skinfw.system.json_file import write_json
from skinfw.system.leftovers import remove_leftovers, replacing_folder, temporary_beside, write_whole


def ended_process() -> int:
    number = 2**22 - 1  # larger than any that Linux gives
    while psutil.pid_exists(number):
        number -= 1
    return number


@pytest.mark.parametrize("name", ["a.json", "n" * 234, "\u00e9\n.png"])
def test_what_is_in_use_or_not_ours_stays(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "deep" / "deeper"
    folder.mkdir(parents=True)
    other = folder / f".{name[:200]}.{os.getppid()}-0.tmp"
    left = folder / f".{name}.{ended_process()}-12.tmp"
    mine = [folder / f".{name[:200]}.tmp", folder / "a.1-1.tmp"]
    for path in (other, left, *mine):
        path.touch()
    with temporary_beside(folder / name) as used:
        remove_leftovers(tmp_path)
        assert left.exists()
        remove_leftovers(tmp_path, deep=True)
        assert used.exists() and not left.exists()
    assert sorted(folder.iterdir()) == sorted([other, *mine])


def test_what_an_earlier_process_of_the_same_number_left_is_removed(tmp_path: Path) -> None:
    with temporary_beside(tmp_path / "a") as used:
        pass
    used.touch()
    remove_leftovers(tmp_path, of="b")
    assert used.exists()
    remove_leftovers(tmp_path, of="a")
    assert not used.exists()


def test_a_file_that_is_written_again_takes_its_leftovers_along(tmp_path: Path) -> None:
    left = [tmp_path / f".{name}.{ended_process()}-0.tmp" for name in ("a.json", "b.json")]
    for path in left:
        path.touch()
    write_json(tmp_path / "a.json", {})
    assert sorted(tmp_path.iterdir()) == [left[1], tmp_path / "a.json"]


def test_folders_are_replaced_whole_and_their_leftovers_removed(tmp_path: Path) -> None:
    folder, left = tmp_path / "test", tmp_path / f".test.{ended_process()}-0.tmp"
    (left / "new").mkdir(parents=True)
    (left / "new" / "a").touch()
    with replacing_folder(folder) as new:
        remove_leftovers(tmp_path)
        assert new.is_dir() and not left.exists()
        (new / "a").write_bytes(b"new")
    assert (folder / "a").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [folder]
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a").touch()
    (tmp_path / "link").symlink_to("kept")
    with replacing_folder(tmp_path / "link"):  # the link is replaced, not what it leads to
        pass
    assert not (tmp_path / "link").is_symlink() and (tmp_path / "kept" / "a").exists()


def test_a_folder_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(RunError, match="test: cannot be written"), replacing_folder(folder) as new:
        new.rmdir()
    assert [path.name for path in tmp_path.rglob("*")] == ["test", "old"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    write_whole(str(path), b"old")
    write_whole(str(path), bytearray(b"new"))
    assert path.read_bytes() == b"new"
    written, write = [], os.write

    def fill(file: int, data: bytes) -> int:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(write(file, data[:1]))
        return written[-1]

    monkeypatch.setattr(os, "write", fill)
    with pytest.raises(OSError, match="No space left"):
        write_whole(str(path), b"more")
    monkeypatch.undo()
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "missing" / "a"), b"more")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


def test_what_the_system_writes_in_parts_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    for data in (b"", b"0123456789", bytearray(b"0123456789")):
        write_whole(str(tmp_path / "a"), data)
        assert (tmp_path / "a").read_bytes() == data


def test_the_temporary_file_of_a_killed_process_is_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def look(temporary: str, path: str) -> None:
        remove_leftovers(tmp_path)  # this process is at work
        seen.extend(tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", look)
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(tmp_path / "a"), b"x")
    (temporary,) = seen
    assert not temporary.exists()
    temporary.with_name(temporary.name.replace(f".{os.getpid()}-", ".999999999-")).touch()
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())
