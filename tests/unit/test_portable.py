"""skinfw can be imported where modules and names of POSIX are missing, as on Windows."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize("package", [skinfw, skinfw_plugins])
def test_modules_of_posix_are_imported_only_where_they_are_needed(package: object) -> None:
    needed = re.compile(rf"^(?:import|from) (?:{'|'.join(POSIX_MODULES)})\b", re.MULTILINE)
    paths = list(Path(str(package.__file__)).parent.rglob("*.py"))
    assert [path for path in paths if needed.search(path.read_text(encoding="utf-8"))] == []


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
