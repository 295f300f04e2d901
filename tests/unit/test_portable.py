"""skinfw can be imported where modules and names of POSIX are missing, as on Windows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import skinfw
import skinfw_plugins

POSIX_MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")

POSIX_NAMES = {
    "os": "chown fchmod fchown fork getgid getpgid getuid getloadavg killpg mkfifo mknod nice openpty setsid "
    "sched_getaffinity sched_setaffinity setgid setuid statvfs uname wait3 wait4 waitid O_DIRECTORY "
    "O_NOFOLLOW O_NONBLOCK",
    "signal": "SIGALRM SIGCHLD SIGHUP SIGKILL SIGQUIT SIGUSR1 SIGUSR2 alarm pthread_kill setitimer sigwait",
}

SCRIPT = """
import builtins, importlib, pkgutil, sys

missing, plain = set(sys.argv[1].split()), builtins.__import__

def without_posix(name, globals=None, locals=None, fromlist=(), level=0):
    asks = str((globals or {}).get("__name__"))
    ours = asks.partition(".")[0] in ("skinfw", "skinfw_plugins")
    if level == 0 and ours and name.partition(".")[0] in missing:
        raise ModuleNotFoundError(f"{asks} imports {name}")
    return plain(name, globals, locals, fromlist, level)

builtins.__import__ = without_posix
for package in ("skinfw", "skinfw_plugins"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(len(sys.modules))
"""


def test_every_module_is_imported_without_those_of_posix() -> None:
    command = [sys.executable, "-c", SCRIPT, " ".join(POSIX_MODULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("package", [skinfw, skinfw_plugins])
def test_names_of_posix_are_asked_for_first(package: object) -> None:
    unasked = []
    for path in Path(str(package.__file__)).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # not ast.parse: Python 3.11 fails in it when garbage is collected meanwhile, rarely
        for module, name in re.findall(r"\b(os|signal)\.(\w+)", text):
            if name in POSIX_NAMES[module].split() and f'hasattr({module}, "{name}")' not in text:
                unasked.append(f"{path}: {module}.{name}")
    assert unasked == []
