"""Keeps other processes out of a folder in use. Light: imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from skinfw.errors import RunError, write_error_text

PATIENCE = 2.0
"""Seconds of a short wait: the child processes of a killed process end a moment after it."""


class FolderLock:
    """A lock that its process holds until it releases it or ends for any reason.

    Args:
        path: the lock file; it exists while the lock is held, and its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # for all threads: a run may end in another thread than it started in
        self._lock = FileLock(path, thread_local=False)
        self._identity: tuple[int, int] | None = None

    def acquire(self, patience: float) -> bool:
        """Acquire the lock; return whether that worked.

        Args:
            patience: seconds to wait for another process; negative: no limit.

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
        """Return whether the folder was removed or replaced while the lock was held."""
        return self._identity is None or self._found() != self._identity

    def release(self) -> None:
        """Release the lock, and remove its file."""
        if not self.lost():
            # waiting processes notice the missing file and create a new one; Windows removes it itself
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
    """Keep other processes out of a folder; creates the folder if needed.

    Args:
        folder: the folder.
        lock_file: the name of the lock file in it.
        who: what to call the other process in the error.

    Raises:
        RunError: another process uses the folder, or it cannot be written to.
    """
    lock = FolderLock(folder / lock_file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        acquired = lock.acquire(PATIENCE)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {write_error_text(error)}") from error
    if not acquired:
        raise RunError(f"{folder}: another {who} is running here; wait for it, or give another --output")
    try:
        yield lock
    finally:
        lock.release()
