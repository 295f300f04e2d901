"""Python processes that begin with torch and skinfw imported: copies of one that has done nothing else.

To import both takes longer than most of what a test has such a process do.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LIMIT = 400


class Forked:
    """A command that was started in a copy."""

    def __init__(self, pid: int, texts: tuple[Path, Path]) -> None:
        self.pid, self._texts = pid, texts
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        """Send a signal; the process is there until `Forks.ended` has told its exit code."""
        os.kill(self.pid, number)

    def said(self) -> tuple[str, str]:
        """Return what it has written to stdout and stderr so far."""
        out, errors = (path.read_text(encoding="utf-8") for path in self._texts)
        return out, errors


class Forks:
    """The process that is copied; it ends with the block.

    Args:
        folder: where the copies write to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._started = folder, 0
        self._parent = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def start(
        self, arguments: Sequence[str], environments: Sequence[Mapping[str, str]] = ({},)
    ) -> list[Forked]:
        """Start what ``python`` would run with these arguments, a script or ``-m`` and a module.

        Args:
            arguments: the arguments.
            environments: variables to set, for each copy.
        """
        self._started += len(environments)
        numbers = range(self._started - len(environments), self._started)
        texts = [(self._folder / f"{number}.out", self._folder / f"{number}.err") for number in numbers]
        request = {
            "arguments": list(arguments),
            "environments": [{**os.environ, **each} for each in environments],
            "texts": [list(map(str, each)) for each in texts],
            "folder": str(Path.cwd()),
        }
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(request).encode() + b"\n")
        return [Forked(pid, each) for pid, each in zip(self._answer(), texts, strict=True)]

    def wait_for(self, path: Path, forked: Sequence[Forked], text: str = "") -> None:
        """Wait until a file holds a text while those that were started last are at work."""
        deadline = time.monotonic() + LIMIT
        while not (path.is_file() and text in path.read_text(encoding="utf-8")):
            assert self._parent.stdout is not None
            over = select.select([self._parent.stdout], [], [], 0.002)[0]
            if over or time.monotonic() > deadline:
                raise AssertionError(f"{path} never held {text!r}: {[each.said() for each in forked]}")

    def ended(self, forked: Sequence[Forked]) -> list[tuple[int, str, str]]:
        """Wait for what was started last; return exit code, stdout and stderr of each."""
        try:
            codes = self._answer()
        except TimeoutError:
            for each in forked:
                os.kill(each.pid, 9)
            codes = self._answer()
        for each, code in zip(forked, codes, strict=True):
            each.returncode = code
        return [(code, *each.said()) for code, each in zip(codes, forked, strict=True)]

    def _answer(self) -> list[int]:
        assert self._parent.stdout is not None
        if not select.select([self._parent.stdout], [], [], LIMIT)[0]:
            raise TimeoutError("no answer")
        answer: list[int] = json.loads(self._parent.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        self._parent.kill()
        self._parent.communicate()


def serve() -> list[str] | None:
    """Copy this process as often as it is asked to; return the arguments in a copy, and None at the end."""
    for line in sys.stdin:
        request = json.loads(line)
        pids = []
        for environment, texts in zip(request["environments"], request["texts"], strict=True):
            pids.append(os.fork())
            if pids[-1] == 0:
                os.environ.clear()
                os.environ.update(environment)
                os.chdir(request["folder"])
                modes = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
                for number, (path, mode) in enumerate(zip((os.devnull, *texts), modes, strict=True)):
                    os.dup2(os.open(path, mode), number)
                arguments: list[str] = request["arguments"]
                return arguments
        print(json.dumps(pids), flush=True)
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]), flush=True)
    return None


if __name__ == "__main__":
    import torch._dynamo  # noqa: F401

    import skinfw.cli.run
    import skinfw.pipeline  # noqa: F401

    found = serve()
    if found is not None and found[0] == "-m":
        sys.argv = found[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(found[1], run_name="__main__", alter_sys=True)
    elif found is not None:
        sys.argv = found
        sys.path[0] = str(Path(found[0]).parent)
        runpy.run_path(found[0], run_name="__main__")
