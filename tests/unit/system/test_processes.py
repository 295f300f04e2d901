from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from skinfw.errors import RunError
from skinfw.system.processes import CHUNK, cores, spread

# what another process is asked to do must be importable there, which this module is not
PROCESS = "__import__('os').getpid()"


def test_results_come_in_order() -> None:
    items = list(range(2 * CHUNK + 3))
    assert list(spread(operator.neg, items, 2)) == [-value for value in items]


def test_few_items_or_one_worker_start_no_process() -> None:
    assert set(spread(eval, [PROCESS] * (2 * CHUNK - 1), 4)) == {os.getpid()}
    assert set(spread(eval, [PROCESS] * (4 * CHUNK), 1)) == {os.getpid()}
    assert os.getpid() not in set(spread(eval, [PROCESS] * (2 * CHUNK), 2))


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(RunError, match="ended unexpectedly"):
        list(spread(os._exit, [3] * (2 * CHUNK), 2))


def test_cores_are_those_that_may_be_used() -> None:
    assert cores() == len(os.sched_getaffinity(0))


SCRIPT = """
import os, time
from skinfw.system.processes import CHUNK, spread
print("begin", flush=True)
print(*sorted(spread({work}, {items}, 2), key=str), flush=True)
"""


def start_script(folder: Path, work: str, items: str) -> subprocess.Popen[str]:
    """Start a script that spreads work and has no guard against being run again."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(work=work, items=items))
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)


def test_a_process_does_not_run_the_script_again(tmp_path: Path) -> None:
    with start_script(tmp_path, "abs", "range(-CHUNK, CHUNK)") as script:
        said, _ = script.communicate(timeout=300)
    numbers = " ".join(sorted(str(abs(number)) for number in range(-CHUNK, CHUNK)))
    assert said == f"begin\n{numbers}\n"


def test_a_process_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "downloaded"
    here.mkdir()
    for name in ("multiprocessing", "skinfw", "pickle"):
        (here / f"{name}.py").write_text("raise SystemExit('a stranger ran this')")
    monkeypatch.chdir(here)
    with start_script(tmp_path, "os.getenv", "['PYTHONSAFEPATH'] * 2 * CHUNK") as script:
        said, _ = script.communicate(timeout=300)
    assert said.split() == ["begin", *["None"] * 2 * CHUNK]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no such signals")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_processes_end_with_the_one_that_started_them(tmp_path: Path, name: str) -> None:
    with start_script(tmp_path, "time.sleep", "[1000] * 3 * CHUNK") as script:
        parent, children = psutil.Process(script.pid), []
        changed, deadline = threading.Event(), 120.0
        while len(children) < 2 and deadline > 0:
            children = [each for each in parent.children() if "spawn_main" in " ".join(each.cmdline())]
            changed.wait(0.05)
            deadline -= 0.05
        script.send_signal(getattr(signal, name))
        script.wait(60)
        _, alive = psutil.wait_procs(children, timeout=300)
    assert len(children) == 2 and not alive
