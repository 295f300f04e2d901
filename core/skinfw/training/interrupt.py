"""Ctrl-C in the middle of a step: finishes and saves the step first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from skinfw.system.stop_signals import stop_signals


class Interrupt:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def catch_interrupt() -> Iterator[Interrupt]:
    """Note the first Ctrl-C instead of raising; the second one raises KeyboardInterrupt.

    The same applies to SIGTERM and, unless nohup disabled it, to closing the terminal (SIGHUP).

    Outside the main thread, where signals cannot be caught, nothing changes.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.asked:
            raise KeyboardInterrupt
        interrupt.asked = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, *stop_signals())}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
