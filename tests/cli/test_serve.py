from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from skinfw.cli import main


def test_it_says_where_it_listens_and_ends_with_ctrl_c(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "tiny", composite="mask")
    command = [sys.executable, "-m", "skinfw", "serve", str(run.folder), "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--segmenter", "skin_color", "--pose-encoder", "bodypix"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"tiny: open (http://127\.0\.0\.1:\d+/); Ctrl\+C ends\n", line)
        assert found is not None, line
        assert requests.get(found[1] + "health", timeout=30).json()["status"] == "ok"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "Interrupted.\n")


def test_what_cannot_be_served_is_an_error(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "tiny", composite="mask")

    def error(*options: str) -> str:
        result = CliRunner().invoke(main, ["serve", *options])
        assert result.exit_code == 2
        return result.stderr

    assert "such run folder" in error(str(tmp_path / "none"))
    choice = ("--pose-encoder", "bodypix", "--segmenter")
    assert "reads label maps from files" in error(str(run.folder), *choice, "deepfashion")
    assert "two models are named tiny" in error(str(run.folder), str(run.folder), *choice, "skin_color")
    assert "--token" in error(str(run.folder), *choice, "skin_color", "--host", "0.0.0.0")
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert "pip install 'skinfw[serve]'" in error(str(run.folder))
