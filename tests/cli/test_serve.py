from __future__ import annotations

import json
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
from onnx_models import write_bodypix

from skinfw.cli import main


def test_it_says_where_it_listens_and_ends_with_ctrl_c(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "tiny", composite="mask")
    write_bodypix(tmp_path / "tiny.onnx")
    pose = json.dumps({"type": "bodypix", "weights": str(tmp_path / "tiny.onnx"), "stride": 16})
    command = [sys.executable, "-m", "skinfw", "serve", str(run.folder), "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--segmenter", "haar", "--pose-encoder", pose],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"tiny: open (http://127\.0\.0\.1:\d+/); Ctrl\+C ends\n", line)
        assert found is not None, line
        assert requests.get(found[1] + "health", timeout=30).json()["status"] == "ok"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "loading the models\nInterrupted.\n")


def test_what_cannot_be_served_is_an_error(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "tiny", composite="mask")

    def error(*options: str) -> str:
        result = CliRunner().invoke(main, ["serve", *options])
        assert result.exit_code == 2
        return result.stderr

    assert "such run folder" in error(str(tmp_path / "none"))
    openpose = ("--pose-encoder", "openpose", "--segmenter")
    assert "reads label maps from files" in error(str(run.folder), *openpose, "deepfashion")
    assert "use one that finds poses itself" in error(str(run.folder), *openpose, "haar")
    assert "two models are named tiny" in error(str(run.folder), str(run.folder), *openpose, "haar")
    write_bodypix(tmp_path / "tiny.onnx")
    pose = json.dumps({"type": "bodypix", "weights": str(tmp_path / "tiny.onnx"), "stride": 16})
    assert "--token" in error(
        str(run.folder), "--pose-encoder", pose, "--segmenter", "haar", "--host", "0.0.0.0"
    )
    missing = json.dumps({"type": "bodypix", "weights": str(tmp_path / "none.onnx"), "stride": 16})
    assert "none.onnx" in error(str(run.folder), "--pose-encoder", missing, "--segmenter", "haar")
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert "pip install 'skinfw[serve]'" in error(str(run.folder))
