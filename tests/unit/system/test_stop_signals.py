"""SIGTERM and a closed terminal clean up as Ctrl-C does."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skinfw.system.stop_signals import stop_signals_interrupt

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no such signals")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_is_then_what_it_was(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stop_signals_interrupt():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_nohup_goes_on() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals_interrupt():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_change_nothing() -> None:
    before, inside = signal.getsignal(signal.SIGTERM), []

    def look() -> None:
        with stop_signals_interrupt():
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert inside == [before]


SCRIPT = """
import contextlib, signal
from skinfw.system.processes import make_pool
from skinfw.system.stop_signals import stop_signals_interrupt
with contextlib.suppress(KeyboardInterrupt), {guard}, make_pool(1) as pool:
    assert pool.submit(abs, -1).result() == 1
    signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.parametrize(
    ("guard", "code", "warned"),
    [("stop_signals_interrupt()", 0, False), ("contextlib.nullcontext()", -signal.SIGTERM, True)],
    ids=["interrupted", "killed"],
)
def test_no_semaphores_of_a_pool_are_leaked(tmp_path: Path, guard: str, code: int, warned: bool) -> None:
    """The second case shows that there is something to leak."""
    (tmp_path / "script.py").write_text(SCRIPT.format(guard=guard))
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stderr
    assert ("resource_tracker" in done.stderr) == warned, done.stderr
