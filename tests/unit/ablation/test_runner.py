"""The order of things, with an engine that only pretends; and what a process leaves."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from skinfw.ablation import process
from skinfw.ablation.ablate import run_plan
from skinfw.ablation.engine import Engine, LocalEngine, Running
from skinfw.ablation.plan import Plan
from skinfw.ablation.process import Job, Outcome, RunProcess, read_outcome
from skinfw.ablation.runner import locked, run_missing
from skinfw.components import trust
from skinfw.errors import RunError
from skinfw.runs.folder import Run, locked_run
from skinfw.specs.spec import parse_spec
from skinfw.system.processes import cores


class Pretended:
    """A run that ends at its second look."""

    def __init__(self, engine: PretendingEngine, job: Job) -> None:
        self.engine, self.job, self.looks = engine, job, 0

    def poll(self) -> Outcome | None:
        self.looks += 1
        if self.looks < 2 and self.job.label not in self.engine.stopped:
            return None
        self.engine.at_work -= 1
        if self.job.label in self.engine.stopped:
            return Outcome("interrupted", "", 1.0, "here")
        failing = self.job.label in self.engine.failing
        return Outcome("failed" if failing else "done", "too large" if failing else "", 1.0, "here")

    def stop(self) -> None:
        self.engine.stopped.append(self.job.label)

    def kill(self) -> None:
        self.engine.killed.append(self.job.label)


class PretendingEngine(Engine):
    def __init__(self, slots: int | None = 1, failing: tuple[str, ...] = ()) -> None:
        self.slots, self.threads, self.failing = slots, 3, failing
        self.jobs: list[Job] = []
        self.stopped: list[str] = []
        self.killed: list[str] = []
        self.at_work = self.most_at_work = 0
        self.on_start: Callable[[], None] = lambda: None

    def start(self, job: Job) -> Running:
        self.jobs.append(job)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        self.on_start()
        return Pretended(self, job)


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (3, 3), (None, 4)])
def test_as_many_are_at_work_as_there_are_slots(
    planned: Callable[..., Plan], slots: int | None, most: int
) -> None:
    engine, plan = PretendingEngine(slots), planned()
    outcomes = run_missing(plan.runs, engine, lambda line: None)
    assert engine.most_at_work == most
    assert [job.label for job in engine.jobs] == [run.label for run in plan.runs]
    assert {outcome.ending for outcome in outcomes.values()} == {"done"}
    assert {job.threads for job in engine.jobs} == {3}
    assert all(job.folder.is_absolute() for job in engine.jobs)
    assert engine.jobs[0].spec == plan.runs[0].spec.to_json()


@pytest.mark.parametrize("missing", ["metrics.json", "report.html"])
def test_done_runs_are_kept_and_a_failure_does_not_stop_the_others(
    planned: Callable[..., Plan], measure: Callable[..., None], missing: str
) -> None:
    engine, plan = PretendingEngine(failing=("first seed 1",)), planned()
    measure(plan.runs[0], {"image/psnr": [1.0] * 4})
    measure(plan.runs[2], {"image/psnr": [1.0] * 4})
    (plan.runs[2].folder / missing).unlink()
    lines: list[str] = []
    outcomes = run_missing(plan.runs, engine, lines.append)
    assert [job.label for job in engine.jobs] == ["first seed 1", "second seed 0", "second seed 1"]
    assert {run.label: outcome.ending for run, outcome in outcomes.items()} == {
        "first seed 1": "failed",
        "second seed 0": "done",
        "second seed 1": "done",
    }
    assert lines[0] == "1 of 4 runs already done"
    assert lines[1].startswith("[1/3] first seed 1: starts in ")
    assert "first seed 1: failed after 1 s: too large" in lines
    assert any(line.startswith("[2/3] second seed 0: goes on in ") for line in lines)


def test_programs_of_the_variants_are_announced_before_the_first_run(
    planned: Callable[..., Plan],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(trust, "_announced", set())
    encoder = {"type": "openpose", "binary": "/opt/\x1b[31mopenpose.bin"}
    photos = {"type": "photos", "count": None, "root": str(tmp_path), "pose_encoder": encoder}
    engine, plan = (
        PretendingEngine(),
        planned(variants={"first": {}, "photos": {"data": {"dataset": photos}}}),
    )
    said: list[list[str]] = []
    engine.on_start = lambda: said.append(list(caplog.messages))
    with caplog.at_level(logging.WARNING, "skinfw"):
        run_plan(plan, engine, only=["first"])
        run_plan(plan, engine)
    started = r"the spec starts the program /opt/\x1b[31mopenpose.bin"
    assert started not in said[0]
    assert [each.count(started) for each in said[2:]] == [1] * (len(said) - 2)


@pytest.mark.parametrize(("here", "flag"), [(False, ["-P"]), (True, [])])
def test_a_run_imports_from_the_current_folder_only_if_this_process_does(
    here: bool, flag: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(process.subprocess, "Popen", lambda command, **options: commands.append(command))
    monkeypatch.chdir(tmp_path)
    if here:
        monkeypatch.syspath_prepend("")
    RunProcess(Job("a run", {}, tmp_path / "run", False, 1), "here")
    assert commands[0][1:-2] == [*flag, "-m", "skinfw.cli.worker"]


def test_ctrl_c_stops_what_is_at_work_and_starts_nothing_more(planned: Callable[..., Plan]) -> None:
    engine, plan = PretendingEngine(2), planned()
    engine.on_start = lambda: signal.raise_signal(signal.SIGINT) if engine.at_work == 2 else None
    with pytest.raises(KeyboardInterrupt, match="Continue with the same command"):
        run_missing(plan.runs, engine, lambda line: None)
    assert engine.stopped == ["first seed 0", "first seed 1"]
    assert len(engine.jobs) == 2
    assert engine.killed == []


def test_a_run_that_cannot_start_is_told_and_ends_no_other(planned: Callable[..., Plan]) -> None:
    engine = PretendingEngine(3)

    def fail() -> None:
        if len(engine.jobs) == 2:
            raise RunError("the disk is full")

    engine.on_start = fail
    runs = planned().runs
    told: list[str] = []
    outcomes = run_missing(runs, engine, told.append)
    assert outcomes[runs[1]].ending == "failed"
    assert outcomes[runs[1]].reason == "the disk is full"
    assert any("the disk is full" in line for line in told)
    assert [outcomes[run].ending for run in runs].count("done") == len(runs) - 1
    assert engine.killed == []


def test_two_ablations_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "out"):
        code = "import sys; from pathlib import Path; from skinfw.ablation.runner import locked\n"
        code += "with locked(Path(sys.argv[1])): pass"
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "out")], capture_output=True, text=True, check=False
        )
        assert "another skinfw ablate is running here" in done.stderr
    with locked(tmp_path / "out"):
        pass
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written"), locked(tmp_path / "file"):
        pass


def test_the_cores_are_shared_among_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert LocalEngine().threads == cores()
    assert LocalEngine(10 * cores()).threads == 1
    assert LocalEngine(2, 5).threads == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert (LocalEngine(2).threads, LocalEngine(2, 5).threads) == (0, 5)


@pytest.fixture
def job(planned: Callable[..., Plan]) -> Job:
    run = planned().runs[0]
    return Job(run.label, run.spec.to_json(), run.folder, False, 1)


def start(monkeypatch: pytest.MonkeyPatch, job: Job, code: str) -> RunProcess:
    """Start Python code in place of a run."""

    class Python(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **settings: Any) -> None:
            super().__init__([sys.executable, "-u", "-c", code, *command[3:]], **settings)

    monkeypatch.setattr(process.subprocess, "Popen", Python)
    return RunProcess(job, "here")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "print('step 1'); print('Error: x: 2 errors\\n  a\\n  b'); raise SystemExit(2)",
            "x: 2 errors\n  a\n  b",
        ),
        ("print('Error: at once'); raise SystemExit(1)", "at once"),
        ("1 / 0", "ZeroDivisionError: division by zero (exit code 1; {log} holds its output)"),
        ("raise SystemExit(3)", "it printed nothing (exit code 3; {log} holds its output)"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "killed by SIGKILL (the system does that when memory runs out); {log} holds its output",
        ),
        ("import os; os.kill(os.getpid(), 40)", "killed by signal 40; {log} holds its output"),
    ],
)
def test_the_reason_of_a_failure(monkeypatch: pytest.MonkeyPatch, job: Job, code: str, reason: str) -> None:
    outcome = start(monkeypatch, job, code).wait()
    assert outcome.ending == "failed"
    assert outcome.reason == reason.format(log=job.beside("log"))
    assert read_outcome(job.folder) == outcome
    assert json.loads(job.beside("spec.json").read_text(encoding="utf-8")) == job.spec


def test_a_process_is_stopped_once_and_killed_at_last(monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked'))\n"
        "print('ready')\n"
        "for _ in range(1200): time.sleep(0.05)"
    )
    at_work = start(monkeypatch, job, code)
    wait_for(job.beside("log"), "ready\n")
    assert at_work.poll() is None
    at_work.stop()
    at_work.stop()
    wait_for(job.beside("log"), "asked\n")
    at_work.kill()
    outcome = at_work.poll()
    assert outcome is not None
    assert (outcome.ending, outcome.reason) == ("interrupted", "")
    assert job.beside("log").read_text(encoding="utf-8").count("asked") == 1


SCRIPT = """
import json, sys
from pathlib import Path
from skinfw.ablation.process import Job, RunProcess
RunProcess(Job("x", json.loads(sys.argv[1]), Path(sys.argv[2]), False, 1), "here").wait()
"""


def test_a_run_ends_with_a_killed_ablation_and_gives_its_folder_back(
    tmp_path: Path, tiny_spec: Callable[..., dict[str, Any]]
) -> None:
    folder, spec = tmp_path / "run", tiny_spec(baselines=[])
    spec["training"]["epochs"] = 2000
    spec["data"]["num_workers"] = 1
    with subprocess.Popen([sys.executable, "-c", SCRIPT, json.dumps(spec), str(folder)]) as killed:
        try:
            wait_for(folder / "log.jsonl", "step")
            below = psutil.Process(killed.pid).children(recursive=True)
        finally:
            killed.kill()
    assert len(below) == 2  # the run and its loader
    _, alive = psutil.wait_procs(below, timeout=300)
    assert not alive
    with locked_run(Run(folder, parse_spec(spec))):
        pass


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if path.is_file() and text in path.read_text(encoding="utf-8"):
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never held {text!r}")


def test_threads_are_given_unless_the_user_chose_some(monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    code = "import os; print('threads', os.environ['OMP_NUM_THREADS'])"
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    start(monkeypatch, job, code).wait()
    assert job.beside("log").read_text(encoding="utf-8") == "threads 1\n"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    start(monkeypatch, job, code).wait()
    assert job.beside("log").read_text(encoding="utf-8") == "threads 1\n"
    start(monkeypatch, replace(job, threads=0), code).wait()
    assert job.beside("log").read_text(encoding="utf-8") == "threads 7\n"


def test_an_outcome_of_another_version_is_none(job: Job) -> None:
    assert read_outcome(job.folder) is None
    job.folder.parent.mkdir(parents=True)
    job.beside("outcome.json").write_text('{"end": 1}', encoding="utf-8")
    assert read_outcome(job.folder) is None
