"""A run folder: its lock, its log after a kill, and what becomes of a run whose folder is removed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw import Pipeline, hookimpl
from skinfw.errors import RunError
from skinfw.runs.create import create_run
from skinfw.runs.folder import LOCK_FILE, Run, locked_run, open_run
from skinfw.runs.split_record import read_split
from skinfw.system import locks

Make = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, tiny_spec: Make) -> Run:
    pipeline = Pipeline(tiny_spec(), output=tmp_path / "run")
    return create_run(pipeline.spec, pipeline.output)


def log(run: Run, *steps: int) -> None:
    for step in steps:
        run.log("step", step=step)


def steps(run: Run) -> list[int]:
    return [record["step"] for record in run.read_log()]


@pytest.mark.parametrize(
    "torn",
    [
        b'{"event": "step", "st',
        b'{"event": "step", "step": 2',
        b"\x00\x00\x00",
        b"\xff\xfe\n",
        b"7\n",
        b"{}\n",
    ],
)
def test_a_torn_line_loses_one_record_and_is_counted(
    run: Run, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    log(run, 1)
    with run.log_path.open("ab") as stream:
        stream.write(torn)
    with caplog.at_level(logging.WARNING, "skinfw"):
        assert steps(run) == [1]
    log(run, 3, 4)  # as a run that goes on would
    caplog.clear()
    assert steps(run) == [1, 3, 4]
    assert caplog.messages == [f"{run.log_path}: skipping 1 of 4 lines, which cannot be read"]
    run.rewind_log(3, evaluations_before=3)
    caplog.clear()
    assert steps(run) == [1, 3] and not caplog.messages


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "step", "step": 1000000000000000000}',
        b'{"event": "step", "step": -1}',
        b'{"event": "step", "step": true}',
        b'{"event": "step", "step": ' + b"9" * 5000 + b"}",
        b'{"event": ["step"], "step": 1}',
        b'{"event": "step", "step": 1, "epoch": "first"}',
        b'{"event": "step", "step": 1, "losses": [1, 2]}',
        b'{"event": "step", "step": 1, "losses": null}',
        b'{"event": "step", "step": 1, "losses": {"l1": "low"}}',
        b'{"event": "step", "step": 1, "losses": {"\\ud800": 1}}',
        b'{"event": "step", "step": 1, "losses": {"' + b"x" * 100_000 + b'": 1}}',
        b'{"event": "step", "step": 1, "seconds_per_step": "fast"}',
        b'{"event": "evaluation", "step": 1, "values": []}',
        b'{"event": "evaluation", "step": 1, "values": {"image/psnr": {}}}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_no_run_writes_is_left_out(run: Run, line: bytes) -> None:
    log(run, 1)
    with run.log_path.open("ab") as stream:
        stream.write(line + b"\n")
    log(run, 2)
    assert steps(run) == [1, 2]


def test_a_huge_log_is_not_read(run: Run) -> None:
    log(run, 1)
    with run.log_path.open("ab") as stream:
        stream.write(b'{"event": "step", "step": 2, "x": "' + b"x" * 5_000_000 + b'"}\n')
    log(run, 3)
    assert steps(run) == [1, 3]
    with run.log_path.open("ab") as stream:
        stream.truncate(2**40)  # holds nothing on the disk
    with pytest.raises(RunError, match=r"log\.jsonl: larger than 268,435,456 bytes"):
        run.read_log()


def test_a_whole_last_line_without_its_end_is_kept(run: Run) -> None:
    log(run, 1)
    run.log_path.write_bytes(run.log_path.read_bytes().rstrip())
    log(run, 2)
    assert steps(run) == [1, 2]


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
def test_a_second_run_in_a_folder_is_refused(
    run: Run, options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.0)
    log(run, 1)
    before = {path: path.read_bytes() for path in run.folder.iterdir()}
    with locked_run(run), pytest.raises(RunError, match="another process is running here") as rejected:
        Pipeline(run.spec, output=run.folder, **options).fit()
    assert rejected.value.exit_code == 2
    assert {path: path.read_bytes() for path in run.folder.iterdir()} == before


def test_a_refused_run_leaves_no_folder(tmp_path: Path, tiny_spec: Make) -> None:
    spec = tiny_spec()
    spec["data"]["dataset"] = {"type": "folder", "root": str(tmp_path / "nothing")}
    with pytest.raises(Exception, match="no such folder"):
        Pipeline(spec, output=tmp_path / "run").fit()
    assert list(tmp_path.iterdir()) == []


class Remover:
    """Removes, moves or recreates the run folder at a given moment."""

    def __init__(self, folder: Path, moment: str, *, then: str) -> None:
        self.folder, self.moment, self.then = folder, moment, then

    def _at(self, moment: str) -> None:
        if moment == self.moment:
            if self.then == "moved":
                self.folder.rename(self.folder.with_name("moved"))
            else:
                shutil.rmtree(self.folder)
            if self.then == "made again":
                self.folder.mkdir()
                (self.folder / LOCK_FILE).touch()

    @hookimpl
    def step_ended(self, step: int) -> None:
        self._at(f"step {step}")

    @hookimpl
    def evaluated(self, evaluation: Any) -> None:
        self._at(evaluation.split)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("moment", "then"),
    [
        ("step 2", "gone"),
        ("step 2", "made again"),
        ("step 2", "moved"),
        ("validation", "gone"),
        ("validation", "moved"),
        ("test", "gone"),
    ],
)
def test_a_run_whose_folder_is_removed_ends_with_one_error(
    tmp_path: Path, tiny_spec: Make, caplog: pytest.LogCaptureFixture, moment: str, then: str
) -> None:
    folder = tmp_path / "run"
    spec = tiny_spec(baselines=[])
    spec["training"]["epochs"] = 1
    with pytest.raises(RunError, match="was removed or replaced during the run"):
        Pipeline(spec, output=folder, hooks=[Remover(folder, moment, then=then)]).fit()
    files = [path for path in folder.rglob("*") if path.is_file() and "events" not in path.name]
    assert files == ([folder / LOCK_FILE] if then == "made again" else [])
    assert not [text for text in caplog.messages if "RunRecorder" in text]


class Deleter:
    """Deletes files of a run after its first step, and the best checkpoint after its first evaluation."""

    def __init__(self, *paths: Path) -> None:
        self.paths = [*paths]

    @hookimpl
    def step_ended(self, step: int) -> None:
        if step == 1:
            for path in self.paths:
                path.unlink()

    @hookimpl
    def evaluated(self, run: Run) -> None:
        if self.paths:
            run.checkpoint("best").unlink()
            self.paths.clear()


def test_what_makes_a_folder_a_run_is_written_again(
    tmp_path: Path, tiny_spec: Make, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 2}
    lost = [folder / "spec.json", folder / "split.json"]
    run = Pipeline(spec, output=folder, hooks=[Deleter(*lost)]).fit().run
    assert caplog.messages.count(f"{lost[0]}: was removed during the run; writing it again") == 1
    assert caplog.messages.count(f"{lost[1]}: was removed during the run; writing it again") == 1
    assert f"{run.checkpoint('best')}: is missing; choosing the best checkpoint again" in caplog.messages
    assert open_run(folder).spec == run.spec
    assert read_split(folder) is not None
    assert run.metrics_path.is_file()


@pytest.mark.parametrize("left", ["checkpoints/best.safetensors", "metrics.json"])
def test_a_run_that_was_thinned_out_is_not_replaced(run: Run, left: str) -> None:
    (run.folder / left).parent.mkdir(exist_ok=True)
    (run.folder / left).write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="already exists"):
        create_run(run.spec, run.folder)
    assert (run.folder / left).exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "already exists; continue it with --resume"),
        ({"resume": True}, r"another spec: \$.data.dataset.type"),
    ],
)
def test_a_folder_that_exists_is_rejected_before_the_data_are_prepared(
    run: Run, tmp_path: Path, tiny_spec: Make, options: dict[str, bool], message: str
) -> None:
    run.log("step", step=1)
    value = tiny_spec()
    value["data"]["dataset"] = {"type": "photos", "root": str(tmp_path / "absent")}
    with pytest.raises(RunError, match=message):
        Pipeline(value, output=run.folder, **options).fit()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "nothing: no such folder; give a run folder"),
        (
            "run/checkpoints/best.safetensors",
            "a checkpoint, not a run folder; give the folder of its run: .*run",
        ),
        ("run/spec.json", "part of a run, not a run folder; give the folder of its run: .*run"),
        ("other/mine.json", "mine.json: a file, not a run folder"),
        ("", "not a run folder .*; give one of the run folders in it: run"),
        ("other", "not a run folder .*; check the path"),
    ],
)
def test_what_is_not_a_run_folder_is_named_with_the_one_that_is_meant(
    run: Run, tmp_path: Path, path: str, message: str
) -> None:
    run.checkpoint("best").parent.mkdir()
    run.checkpoint("best").touch()
    (tmp_path / "other").mkdir()
    shutil.copy(run.folder / "spec.json", tmp_path / "other" / "mine.json")
    with pytest.raises(RunError, match=message):
        open_run(tmp_path / path)
