"""Running a program of others."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from skinfw.errors import DataError, UserError

_QUOTED = 400
"""Maximum characters of a program's output that an error quotes."""


def run_program(command: Sequence[str], timeout: float, what: str) -> str:
    """Run a program to its end.

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
    try:
        done = subprocess.run(
            list(command), capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"{program}: took longer than {timeout:g} seconds for {what} and was stopped; raise timeout, or "
            "check whether it finds its GPU"
        ) from error
    except OSError as error:
        raise UserError(
            f"{program}: cannot be started: {error.strerror}; give the path of the program"
        ) from error
    output = " ".join((done.stderr + done.stdout).split())[-_QUOTED:] or "it printed nothing"
    if done.returncode:
        raise DataError(f"{program}: failed with exit code {done.returncode}: {output}")
    return output
