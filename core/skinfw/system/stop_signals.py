"""The signals that ask a process to stop, besides Ctrl-C. Light: imports nothing heavy."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def stop_signals() -> list[int]:
    """Return SIGTERM and, unless nohup disabled it, SIGHUP, which a closed terminal sends."""
    numbers = [int(signal.SIGTERM)]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(int(signal.SIGHUP))
    return numbers


@contextmanager
def stop_signals_interrupt() -> Iterator[None]:
    """Let the signals raise KeyboardInterrupt as Ctrl-C does, so that what was started is cleaned up.

    Without it, the process would just be gone, and multiprocessing's resource tracker, a process of its own,
    would warn about the semaphores of its pools. Outside the main thread, where signals cannot be caught,
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
