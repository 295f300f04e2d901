from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skinfw.system.quiet import quiet

Captured = pytest.CaptureFixture[str]


def free_descriptor() -> int:
    """Return the lowest descriptor that is not in use."""
    found = os.dup(2)
    os.close(found)
    return found


def test_what_native_code_writes_is_dropped_until_the_end(capfd: Captured) -> None:
    before = free_descriptor()
    os.write(2, b"before ")
    with quiet():
        os.write(2, b"within ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"
    assert free_descriptor() == before


def test_standard_error_is_back_after_an_error(capfd: Captured) -> None:
    with pytest.raises(ValueError, match="model"), quiet():
        raise ValueError("model")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_calls_of_two_threads_that_overlap(capfd: Captured) -> None:
    with ThreadPoolExecutor(1) as other:
        first, second = quiet(), quiet()
        first.__enter__()
        other.submit(second.__enter__).result()
        # the first to begin is the first to end
        first.__exit__(None, None, None)
        os.write(2, b"within ")
        other.submit(second.__exit__, None, None, None).result()
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_without_standard_error_no_other_file_is_silenced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a standard error that was closed at the start goes to the next file that is opened."""
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "__stderr__", None)
    kept = os.dup(2)
    try:
        with (tmp_path / "other").open("wb") as other:
            os.dup2(other.fileno(), 2)
        with quiet():
            os.write(2, b"kept")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert (tmp_path / "other").read_bytes() == b"kept"
