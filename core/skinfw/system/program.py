"""Running a program of others."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from skinfw.errors import DataError, UserError

_QUOTED = 400
"""Maximum characters of a program's output that an error quotes."""

_READ = 16 * _QUOTED
"""Maximum bytes that are read for that: a run of blanks counts as one character."""


def run_program(command: Sequence[str], timeout: float, what: str) -> str:
    """Run a program to its end, without input.

    If it takes too long, it is killed with the processes that descend from it and, on POSIX, with its process
    group. A process whose parent has ended goes on if it has left the group, and on Windows in any case.

    Args:
        command: the program and its arguments.
        timeout: seconds after which it is killed.
        what: what it works on, for messages, such as ``one image``.

    Returns:
        the end of its output, on one line, for messages.

    Raises:
        UserError: it cannot be started.
        DataError: it failed or took too long; the message quotes the end of its output.
    """
    program = command[0]
    # a file, as processes that it leaves behind would keep a pipe open
    with tempfile.TemporaryFile() as printed:
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its group can be killed; Windows ignores it
            )
        except (OSError, ValueError) as error:  # an argument may contain a zero byte
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"{program}: cannot be started: {reason}; give the path of the program"
            ) from error
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise DataError(
                f"{program}: took longer than {timeout:g} seconds for {what} and was stopped; raise timeout, "
                f"or check whether it finds its GPU: {_end_of(printed)}"
            ) from error
        finally:
            _kill(process)
        output = _end_of(printed)
    if process.returncode:
        raise DataError(f"{program}: failed with exit code {process.returncode}: {output}")
    return output


def _end_of(printed: IO[bytes]) -> str:
    printed.seek(max(0, printed.seek(0, os.SEEK_END) - _READ))
    text = printed.read().decode("utf-8", "replace")
    return " ".join(text.split())[-_QUOTED:] or "it printed nothing"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started, unless it has ended."""
    import psutil

    if process.poll() is not None:
        return
    started: list[psutil.Process] = []
    with suppress(psutil.Error):
        started = psutil.Process(process.pid).children(recursive=True)
    if hasattr(os, "killpg") and hasattr(signal, "SIGKILL"):
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    for each in started:
        with suppress(psutil.Error):
            each.kill()
    process.kill()
    process.wait()
