from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from skinfw.system.regular_file import open_regular, read_regular


def test_a_regular_file_and_a_link_to_it(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"one\r\ntwo")
    link = tmp_path / "link"
    link.symlink_to(file)
    for path in (file, link, str(file)):
        assert read_regular(path) == b"one\r\ntwo"
        with open_regular(path) as opened:
            assert opened.read(3) == b"one"


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "fifo.png")
    for name in ("fifo.png", "link.png"):
        with pytest.raises(OSError, match="a FIFO, not a regular file"):
            open_regular(tmp_path / name)


def test_devices_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="a device, not a regular file"):
        open_regular(tmp_path / "zero.png")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        with pytest.raises(OSError, match="a socket, not a regular file"):
            open_regular(tmp_path / "socket")
    with pytest.raises(IsADirectoryError, match="a folder, not a file"):
        open_regular(tmp_path)


def test_a_loop_of_links_a_missing_file_and_a_zero_byte(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
    with pytest.raises(OSError, match="null byte"):
        open_regular("a\0b")


def test_a_fifo_that_takes_the_place_of_a_file_after_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "fifo")
    regular = (tmp_path / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda path: regular)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="FIFO"):
        open_regular(tmp_path / "fifo")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_limit_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_regular(tmp_path / "a", 4)
