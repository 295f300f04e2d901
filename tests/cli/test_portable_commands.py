"""The quickstart runs where modules and functions of POSIX are missing, as on Windows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.json"

WITHOUT_POSIX = """
import builtins, json, os, signal, sys

MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    os: "fork forkpty getpgid getuid killpg mkfifo nice sched_getaffinity setsid O_NONBLOCK".split(),
    signal: "SIGALRM SIGHUP SIGQUIT SIGUSR1 alarm setitimer".split(),
}
original = builtins.__import__


class Without:
    # a module as skinfw sees it; other libraries have their own branches for Windows, chosen by the platform
    def __init__(self, module):
        vars(self).update({name: value for name, value in vars(module).items() if name not in NAMES[module]})


def imported(name, globals=None, locals=None, fromlist=(), level=0):
    if str((globals or {}).get("__name__")).split(".")[0] in ("skinfw", "skinfw_plugins"):
        if name.split(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = sys.modules.get(name)
        if module in NAMES and not fromlist:
            return Without(module)
    return original(name, globals, locals, fromlist, level)


builtins.__import__ = imported
"""

COMMANDS = """
from skinfw.cli import main
for arguments in json.loads(sys.argv[1]):
    main(arguments, standalone_mode=False)
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_POSIX + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_posix_is_missing_for_skinfw_alone() -> None:
    code = """
import skinfw.system.processes as processes
assert not hasattr(processes.os, "fork") and not hasattr(processes.signal, "SIGHUP")
assert hasattr(os, "getpid") and hasattr(processes.os, "getpid")
exec("import resource", {"__name__": "skinfw.test"})
"""
    done = run(code)
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'resource'"


def test_the_quickstart_runs_without_posix(tmp_path: Path) -> None:
    changes = ["--set", "data.dataset.count=30", "--set", "training.epochs=1", "--set", "data.size=[32, 32]"]
    training = ["run", str(QUICKSTART), *changes, "--output", str(tmp_path / "run")]
    commands = [["list"], ["validate", str(QUICKSTART)], training]
    done = run(COMMANDS, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    assert "pix2pix" in done.stdout and "is valid" in done.stdout
    assert (tmp_path / "run" / "report.html").is_file()
