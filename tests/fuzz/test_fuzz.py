"""A moment of fuzzing: the harness works, and finds what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BROKEN = """
import json, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import readers, worker

def read(path):
    json.loads(path.read_bytes().decode("utf-8", "replace"))

readers.READERS["json"] = readers.Reader(readers.seeds.specs, readers.mutations.mutate_json, read)
worker.main("json", "0", 0, 60, Path(sys.argv[1]), 1024)
"""


def fuzz(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_few_inputs_are_read_right_or_refused(tmp_path: Path) -> None:
    done = fuzz("json", "excluded", "--inputs", "60", "--save", tmp_path / "kept")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report == {name: {"inputs": 60, "crashes": {}} for name in ("json", "excluded")}
    assert not (tmp_path / "kept").exists()


def test_no_such_reader() -> None:
    done = fuzz("jsn")
    assert done.returncode == 2 and "no reader jsn; there are photo, mask" in done.stderr


def test_a_reader_that_raises_anything_else_is_found(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN.format(here=str(HERE)), str(tmp_path)],
        input="\n" * 60, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told[-1] == {"done": True}, done.stderr
    assert [each["number"] for each in told if "error" not in each and "done" not in each] == list(range(60))
    assert {each["where"].split()[0] for each in told if "error" in each} >= {"JSONDecodeError"}
