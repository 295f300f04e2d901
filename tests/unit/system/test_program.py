from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from programs import write_program

from skinfw.errors import DataError, UserError
from skinfw.system.program import run_program

STARTS_ANOTHER = """
import subprocess, pathlib, time
child = subprocess.Popen([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
print("waiting", flush=True)
"""


def is_over(pid: int) -> bool:
    """Return whether a process ends within 10 seconds: a busy machine may take a while."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_what_a_program_started_ends_with_it_if_it_takes_too_long(tmp_path: Path) -> None:
    program = write_program(tmp_path / "a.py", f"{STARTS_ANOTHER}child.wait()")
    began = time.monotonic()
    with pytest.raises(DataError, match=r"a\.py: took longer than 3 seconds for one image .*: .*waiting"):
        run_program([str(program), str(tmp_path / "pid")], 3, "one image")
    assert time.monotonic() - began < 30
    assert is_over(int((tmp_path / "pid").read_text()))


def test_what_has_lost_its_parent_ends_with_the_program_too(tmp_path: Path) -> None:
    command = f"(sleep 60 & echo $! > '{tmp_path / 'pid'}'); sleep 60"
    with pytest.raises(DataError, match="took longer than 3 seconds"):
        run_program(["sh", "-c", command], 3, "one image")
    assert is_over(int((tmp_path / "pid").read_text()))


def test_what_a_program_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    program = write_program(tmp_path / "a.py", STARTS_ANOTHER)
    began = time.monotonic()
    assert "waiting" in run_program([str(program), str(tmp_path / "pid")], 50, "one image")
    assert time.monotonic() - began < 30
    psutil.Process(int((tmp_path / "pid").read_text())).kill()


def test_a_program_gets_no_input(tmp_path: Path) -> None:
    program = write_program(tmp_path / "a.py", "print(repr(sys.stdin.read()))")
    assert run_program([str(program)], 60, "one image") == "''"


def test_the_end_of_the_output_is_quoted_on_one_line(tmp_path: Path) -> None:
    code = "print('x' * 10_000_000)\nprint('no', file=sys.stderr)\nsys.exit('\\n  GPU \\xff')"
    program = write_program(tmp_path / "a.py", code)
    with pytest.raises(DataError, match=r"exit code 1: x{391,394} no GPU .$"):
        run_program([str(program)], 60, "one image")


@pytest.mark.parametrize("argument", ["a\0b", "\ud800"])
def test_an_argument_that_no_program_can_get_is_one_error(tmp_path: Path, argument: str) -> None:
    program = write_program(tmp_path / "a.py", "")
    with pytest.raises(UserError, match=r"a\.py: cannot be started: .*; give the path"):
        run_program([str(program), argument], 60, "one image")
