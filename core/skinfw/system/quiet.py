"""Silences native code that writes to standard error regardless of settings."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_lock = threading.Lock()
_users = 0
_kept = -1


@contextmanager
def quiet() -> Iterator[None]:
    """Discard everything that this process writes to standard error, including native code's output.

    It affects all threads, so use it around short calls only. Threads may use it at the same time: standard
    error is restored when the last one is done. If standard error was closed when Python started, it does
    nothing: the file descriptor belongs to the next file that was opened.
    """
    if sys.__stderr__ is None:
        yield
        return
    _redirect()
    try:
        yield
    finally:
        _restore()


def _redirect() -> None:
    global _users, _kept
    with _lock:
        if _users == 0:
            _flush()
            _kept = os.dup(2)
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
        _users += 1


def _restore() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            _flush()
            os.dup2(_kept, 2)
            os.close(_kept)


def _flush() -> None:
    if sys.stderr is not None:  # a script may have set it to None
        sys.stderr.flush()
