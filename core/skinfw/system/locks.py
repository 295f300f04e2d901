"""Keeping other processes out of a folder while one uses it. Light: imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from skinfw.errors import RunError, write_fault

PATIENCE = 2.0
"""Seconds to wait where nobody waits for long: the processes of a killed one end a moment after it."""


class FolderLock:
    """A lock that its process holds until it releases it or ends, however it ends.

    Args:
        path: the file of the lock; it is there while the lock is held, and its folder must be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # for all threads: the one that ends a run need not be the one that began it
        self._lock = FileLock(path, thread_local=False)
        self._identity: tuple[int, int] | None = None

    def acquire(self, patience: float) -> bool:
        """Take the lock; return whether that worked.

        Args:
            patience: seconds to wait for another process; negative: until it is done.

        Raises:
            OSError: the folder cannot be written to.
        """
        try:
            self._lock.acquire(timeout=patience)
        except Timeout:
            return False
        self._identity = self._found()
        return True

    def lost(self) -> bool:
        """Return whether the folder is gone, or somebody else has made it again, while the lock was held."""
        return self._identity is None or self._found() != self._identity

    def release(self) -> None:
        """Give the lock back, and remove its file."""
        if not self.lost():
            # who waits finds that the file is gone, and makes a new one; Windows removes it on its own
            with suppress(OSError):
                self.path.unlink()
        self._identity = None
        self._lock.release()

    def _found(self) -> tuple[int, int] | None:
        try:
            state = self.path.stat()
        except OSError:
            return None
        return state.st_dev, state.st_ino


@contextmanager
def locked_folder(folder: Path, lock_file: str, who: str) -> Iterator[FolderLock]:
    """Keep other processes out of a folder, which is made where there is none.

    Args:
        folder: the folder.
        lock_file: the name of the lock in it.
        who: what the other process is, for the error.

    Raises:
        RunError: another process uses the folder, or it cannot be written to.
    """
    lock = FolderLock(folder / lock_file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        acquired = lock.acquire(PATIENCE)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {write_fault(error)}") from error
    if not acquired:
        raise RunError(f"{folder}: another {who} is at work here; wait for it, or give another --output")
    try:
        yield lock
    finally:
        lock.release()
