"""The state of files changes whenever somebody writes them."""

from __future__ import annotations

import os
from pathlib import Path

from skinfw.system.file_state import folder_state


def test_every_change_shows(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"abc")
    found = [folder_state(tmp_path)]
    assert found[0] == folder_state(tmp_path)
    one.write_bytes(b"abcd")
    found.append(folder_state(tmp_path))
    os.utime(one, (1, 1))
    found.append(folder_state(tmp_path))
    other.write_bytes(b"efgh")
    found.append(folder_state(tmp_path))
    os.utime(other, (1, 1))
    found.append(folder_state(tmp_path))
    other.replace(one)
    found.append(folder_state(tmp_path))
    one.unlink()
    found.append(folder_state(tmp_path))
    assert len(set(found)) == len(found)
    assert found[-1] == folder_state(tmp_path / "missing")
