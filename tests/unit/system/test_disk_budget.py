"""The limit of files that many processes write."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skinfw.system import disk_budget
from skinfw.system.disk_budget import FREE, LOCK_FILE, USAGE_FILE, DiskBudget
from skinfw.system.locks import FolderLock

LIMIT = 6400
CHUNK = LIMIT // 32


def budget(folder: Path, began: float | None = None) -> DiskBudget:
    return DiskBudget(folder, LIMIT, time.time() if began is None else began, "it is full")


def write(path: Path, size: int, used: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (used, used))
    return path


def reserved(folder: Path) -> int:
    return int(json.loads((folder / USAGE_FILE).read_text())["bytes"])


def test_bytes_are_reserved_in_chunks_up_to_the_limit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = budget(tmp_path / "new", 5), budget(tmp_path / "new", 5)
    assert one.take(50) and one.take(50) and reserved(tmp_path / "new") == CHUNK
    assert other.take(1000) and reserved(tmp_path / "new") == CHUNK + 1000
    write(tmp_path / "new" / "first", 1100, 10)
    granted = 1100
    for each in (one, other):
        while each.take(50):
            write(tmp_path / "new" / str(granted), 50, 10)
            granted += 50
    assert LIMIT - CHUNK <= granted <= LIMIT
    assert not one.take(1) and not other.take(1)
    assert [record.message for record in caplog.records] == ["it is full"]
    assert not (tmp_path / "new" / LOCK_FILE).exists()


def test_files_that_were_not_used_make_room_oldest_first(tmp_path: Path) -> None:
    old = [write(tmp_path / "a" / str(index), 1000, 100 + index) for index in range(6)]
    used = write(tmp_path / "b" / "used", 300, 2000)
    left = write(tmp_path / "b" / ".x.999999999-0.tmp", 50, 3000)
    assert budget(tmp_path, began=1000).take(1500)
    # a tenth of the limit stays free
    assert [path.exists() for path in (*old, used, left)] == [
        False,
        False,
        True,
        True,
        True,
        True,
        True,
        False,
    ]
    assert budget(tmp_path, began=1000).take(500) and old[2].exists()


def test_files_of_this_run_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [write(tmp_path / str(index), 1000, 100) for index in range(6)]
    assert not budget(tmp_path, began=50).take(1000)
    assert all(path.exists() for path in files)
    assert not budget(tmp_path, began=50).take(1)  # another process of the run, which says nothing more
    assert [record.message for record in caplog.records] == ["it is full"]
    assert budget(tmp_path, began=200).take(1000)  # the next run


def test_files_are_counted_if_the_record_is_missing_or_damaged(tmp_path: Path) -> None:
    write(tmp_path / "a", LIMIT - 100, 2000)
    for damage in (None, "{", "[]", '{"bytes": "many"}'):
        if damage is not None:
            (tmp_path / USAGE_FILE).write_text(damage)
        assert not budget(tmp_path, began=1000).take(200)
        (tmp_path / USAGE_FILE).unlink()


def test_a_part_of_the_disk_stays_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, FREE + 99))
    first = budget(tmp_path)
    assert not first.take(100)
    assert budget(tmp_path).take(99)


def test_a_process_that_counts_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_budget, "PATIENCE", 0.05)
    now = [100.0]
    monkeypatch.setattr(disk_budget, "monotonic", lambda: now[0])
    asked: list[float] = []
    acquire = FolderLock.acquire
    lock = FolderLock(tmp_path / LOCK_FILE)
    assert lock.acquire(0)
    monkeypatch.setattr(
        FolderLock, "acquire", lambda self, patience: asked.append(now[0]) or acquire(self, patience)
    )
    waiting = budget(tmp_path)
    assert not any(waiting.take(10) for _ in range(50)) and asked == [100]
    lock.release()
    assert not waiting.take(10) and asked == [100]
    now[0] += disk_budget.PAUSE
    assert waiting.take(10) and asked == [100, 110]


def test_a_forked_process_reserves_its_own_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = budget(tmp_path)
    assert parent.take(10)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert parent.take(10) and reserved(tmp_path) == 2 * CHUNK


def test_many_at_once_exceed_the_limit_by_what_they_have_not_written_at_most(tmp_path: Path) -> None:
    began = time.time()

    def fill(number: int) -> int:
        mine, taken = budget(tmp_path, began), 0
        while mine.take(100):
            write(tmp_path / f"{number}-{taken}", 100, began + 1)
            taken += 100
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(fill, range(4)))
    assert LIMIT - 4 * CHUNK <= taken <= LIMIT + 3 * CHUNK
