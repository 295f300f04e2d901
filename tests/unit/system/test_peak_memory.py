from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack

import pytest
import torch

from skinfw.system.peak_memory import PeakMemory

MIB = 2**20


def test_memory_of_the_process_counts_at_its_peak_and_again() -> None:
    """Also where an earlier work took the same memory and freed it."""
    for _ in range(2):
        with PeakMemory(torch.device("cpu")) as memory:
            held = torch.ones(25 * MIB)
            del held
        assert memory.grown is not None and 90 * MIB < memory.grown < 160 * MIB


def test_memory_of_programs_that_are_started_counts() -> None:
    code = f"held = b'x' * (150 * {MIB}); print(len(held), flush=True); input()"
    command = [sys.executable, "-c", code]
    with ExitStack() as programs:
        with PeakMemory(torch.device("cpu")) as memory:
            program = programs.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert program.stdout is not None and int(program.stdout.readline()) == 150 * MIB
        program.communicate("")
    assert memory.grown is not None and memory.grown > 140 * MIB


def test_it_ends_with_an_error_too() -> None:
    memory = PeakMemory(torch.device("cpu"))
    with pytest.raises(ValueError, match="x"), memory:
        raise ValueError("x")
    assert memory.grown is not None


def test_a_device_whose_memory_is_not_measured() -> None:
    with PeakMemory(torch.device("meta")) as memory:
        pass
    assert memory.grown is None
