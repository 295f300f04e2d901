from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from skinfw.cli import main
from skinfw.data.excluded import EXCLUDED_FILE, excluded, write_excluded

Writer = Callable[..., list[Path]]


def inspect(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["inspect", *map(str, arguments)])


@pytest.fixture
def samples(tmp_path: Path, write_samples: Writer) -> Path:
    write_samples(tmp_path / "people", ["anna", "berta"])
    return tmp_path / "people"


def test_it_writes_a_sheet_among_the_samples(samples: Path) -> None:
    result = inspect(samples)
    assert result.exit_code == 0, result.output
    assert f"2 samples: open {samples / 'contact_sheet' / 'index.html'}" in result.output
    assert str(samples / EXCLUDED_FILE) in result.output
    assert len(list((samples / "contact_sheet").rglob("*.webp"))) == 2
    # the sheet is no sample
    assert inspect(samples).output == result.output


def test_excluded_samples_are_still_on_it(samples: Path, tmp_path: Path) -> None:
    write_excluded(samples, ["anna", "berta"])
    result = inspect(samples, "--output", tmp_path / "sheet")
    assert result.exit_code == 0, result.output
    assert '"excluded": ["anna", "berta"]' in (tmp_path / "sheet" / "samples.js").read_text(encoding="ascii")


def test_serving_saves_what_is_excluded(samples: Path) -> None:
    command = [sys.executable, "-u", "-m", "skinfw", "inspect", str(samples), "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            with urllib.request.urlopen(found.group(), timeout=60) as answer:
                assert b"skinfw inspect" in answer.read()
            request = urllib.request.Request(
                f"{found.group()}{EXCLUDED_FILE}", b'{"berta": true}', {"X-Skinfw": "1"}, method="POST"
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert excluded(samples) == {"berta"}
    assert process.returncode == 130 and "Traceback" not in errors


def test_a_taken_port_is_an_error_before_the_sheet_is_written(samples: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = inspect(samples, "--serve", "--port", taken.getsockname()[1])
    assert result.exit_code == 2 and "choose another with --port" in result.stderr
    assert not (samples / "contact_sheet").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "8000"], "--port needs --serve"),
        (["--photos", "nowhere"], "nowhere: no such folder"),
        (["--port", "70000", "--serve"], "70000"),
    ],
)
def test_bad_options_are_told(samples: Path, arguments: list[str], told: str) -> None:
    result = inspect(samples, *arguments)
    assert result.exit_code == 2 and told in result.output and "Traceback" not in result.output


def test_a_folder_without_samples(tmp_path: Path) -> None:
    result = inspect(tmp_path)
    assert result.exit_code == 2 and "it contains no sample" in result.output
