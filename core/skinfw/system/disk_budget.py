"""A limit for the files below a folder that many processes of many runs fill. Light."""

from __future__ import annotations

import logging
import math
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from skinfw.errors import SpecError
from skinfw.system.json_file import read_json, write_json
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import PATIENCE, FolderLock

logger = logging.getLogger("skinfw")

USAGE_FILE = "usage.json"
LOCK_FILE = ".lock"

CHUNK = 64 * 2**20
"""Bytes that a process reserves at a time, so that it seldom waits for others and never counts files."""

FREE = 2**30
"""Bytes of the disk that stay free."""

PAUSE = 10.0
"""Seconds without asking again after another process kept the lock: it counts many files."""

_MARGIN = 0.1
"""Fraction of the limit that is freed at once."""


class DiskBudget:
    """Grants bytes until the files below a folder reach a limit.

    If it makes room, files that were used before this budget began are removed at the limit, those that were
    not used for the longest time first. The time of a file's last change counts as the time of its last use.

    Args:
        folder: the folder.
        limit: maximum bytes of all files below it. The count does not see what other processes were granted
            and have not written yet: each can exceed the limit by `CHUNK` or a thirty-second of the limit,
            whichever is less.
        began: files that were used since then stay, in seconds since the epoch.
        when_full: a warning when nothing more fits; one process of those with the same ``began`` logs it.
        makes_room: whether files may be removed: only if all users of the folder have the same limit.
    """

    def __init__(
        self, folder: Path, limit: int, began: float, when_full: str, *, makes_room: bool = True
    ) -> None:
        self.began = began
        self._makes_room = makes_room
        self._folder, self._limit, self._when_full = folder, limit, when_full
        self._granted, self._full = 0, False
        self._process = os.getpid()
        self._asks_after = -math.inf

    def take(self, size: int) -> bool:
        """Return whether a file of this many bytes may be written.

        Raises:
            OSError: the folder cannot be read or written.
            RunError: the folder cannot be written.
        """
        if self._process != os.getpid():  # a copy of the process that was granted them
            self._process, self._granted = os.getpid(), 0
        if self._granted < size and not self._full and monotonic() >= self._asks_after:
            self._reserve(size)
        if self._granted < size:
            return False
        self._granted -= size
        return True

    def _reserve(self, size: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self._folder / LOCK_FILE)
        if not lock.acquire(PATIENCE):
            self._asks_after = monotonic() + PAUSE
            return
        try:
            usage = self._usage()
            self._full = usage.get("full") == self.began
            if not self._full:
                granted, used = self._grant(size, usage.get("bytes"))
                self._full = not granted
                self._granted += granted
                full = {"full": self.began} if self._full else {}
                write_json(self._folder / USAGE_FILE, {"bytes": used + granted, **full})
                if self._full:
                    logger.warning("%s", self._when_full)
        finally:
            lock.release()

    def _grant(self, size: int, used: Any) -> tuple[int, int]:
        """Return the bytes to grant, 0 if the file does not fit, and the bytes used before."""
        wanted = max(size, min(CHUNK, self._limit // 32))
        if not isinstance(used, int) or used + wanted > self._limit:
            used = self._count(wanted)
        room = min(self._limit - used, shutil.disk_usage(self._folder).free - FREE)
        return (min(wanted, room) if room >= size else 0), used

    def _usage(self) -> dict[str, Any]:
        try:
            found = read_json(self._folder / USAGE_FILE)
        except SpecError:  # missing or damaged: the files are counted
            found = {}
        return found if isinstance(found, dict) else {}

    def _count(self, wanted: int) -> int:
        """Count the files, and make room if needed and allowed; return the bytes of those that stay."""
        remove_leftovers(self._folder, deep=True)
        files = sorted(self._files(), key=lambda each: each[1].st_mtime)
        used = sum(state.st_size for _, state in files)
        goal = min(self._limit - wanted, int(self._limit * (1 - _MARGIN)))
        for path, state in files:
            if used <= goal or not self._makes_room or state.st_mtime >= self.began:
                break
            path.unlink(missing_ok=True)
            used -= state.st_size
        return used

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for place, _, names in os.walk(self._folder):
            for path in (Path(place, name) for name in names if name not in (USAGE_FILE, LOCK_FILE)):
                with suppress(FileNotFoundError):
                    state = path.lstat()
                    if stat.S_ISREG(state.st_mode):
                        yield path, state
