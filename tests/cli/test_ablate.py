"""The real command: runs in processes of their own, one that fails, one that is killed, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import skinfw
from skinfw.cli import main
from skinfw.data.split import split_names
from skinfw.errors import RunError

MakeSpec = Callable[..., dict[str, Any]]


def ablate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["ablate", *map(str, arguments)])


def write(folder: Path, spec: dict[str, Any], **fields: Any) -> Path:
    path = folder / "ablation.json"
    value = {"name": "try", "base": spec, "variants": {"skin": {}, "whole": {"composite": "none"}}, **fields}
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.fixture
def base(tiny_spec: MakeSpec) -> dict[str, Any]:
    """A spec without what only costs time here."""
    spec = tiny_spec(losses=["l1"], baselines=[])
    del spec["discriminator"]
    spec["training"]["epochs"] = 1
    spec["data"]["validation_fraction"] = 0
    return spec


def times(output: Path) -> dict[str, int]:
    """Return when each run's values were written."""
    return {
        path.parent.relative_to(output).as_posix(): path.stat().st_mtime_ns
        for path in output.glob("*/*/metrics.json")
    }


def test_all_errors_of_all_variants_are_told_before_anything_runs(
    tmp_path: Path, base: dict[str, Any]
) -> None:
    variants = {"a": {"generator": "pix3pix"}, "b": {"composite": "skn", "losses": None}}
    done = ablate(write(tmp_path, base, variants=variants), "--output", tmp_path / "out")
    assert done.exit_code == 2
    for part in ("3 errors", "variant a: $.generator: ", "variant b: $.composite: ", "variant b: $.losses: "):
        assert part in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--only", "whle"], "no variant 'whle'; did you mean 'whole'"),
        (["--seeds", "0,3"], "no seed 3; there are [0]"),
        (["--seeds", "0,x"], "--seeds 0,x: expected integers separated by commas"),
        (["--size", "small"], "no size 'small'; it has none"),
        (["--dry-run", "--report-only"], "give only one of them"),
        (["--address", "auto"], "need --engine ray"),
        (["--engine", "ray", "--jobs", "2"], "--jobs needs --engine local"),
    ],
)
def test_arguments_that_do_not_fit_are_told(
    tmp_path: Path, base: dict[str, Any], options: list[str], told: str
) -> None:
    done = ablate(write(tmp_path, base), "--output", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_interrupted_ablation_goes_on_where_it_stopped_and_a_failed_run_stops_no_other(
    tmp_path: Path,
    base: dict[str, Any],
    inline_engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base["training"] |= {"epochs": 10, "checkpoint_every": 2, "sample_every": 10}
    variants = {"too_large": {"training": {"batch_size": 1000}}, "skin": {}}
    file, output = write(tmp_path, base, variants=variants), tmp_path / "out"
    run = output / "skin" / "seed_0"
    options = ["--output", str(output), "--only", "skin"]
    command = [sys.executable, "-m", "skinfw", "ablate", str(file), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    _wait_for(run / "checkpoints" / "last.safetensors", process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "[1/1] skin seed 0: starts in" in errors
    assert "skin seed 0: interrupted" in errors
    assert "Continue with the same command" in errors
    listed = ablate(file, "--output", output, "--dry-run")
    assert "half done" in listed.stdout
    assert "Interrupted" in run.with_name("seed_0.log").read_text(encoding="utf-8")

    # the same command goes on from there: no step is logged twice, none is missing
    monkeypatch.setattr("skinfw.cli.ablate._engine", lambda *_: inline_engine)
    done = ablate(file, "--output", output)
    assert done.exit_code == 1, done.output
    assert "too_large seed 0: failed after" in done.stderr and "[2/2] skin seed 0: goes on in" in done.stderr
    told = "Failed: too_large seed 0: "
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(told)]
    assert "training samples are too few for one step of 1000" in line
    log = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [record["step"] for record in log if record["event"] == "step"]
    train = split_names([f"mannequin-{index:06d}" for index in range(20)], 0.2, 0).train
    assert steps == list(range(1, 10 * (len(train) // 4) + 1))
    assert (run / "report.html").is_file()
    assert told in (output / "ablation.html").read_text(encoding="utf-8")
    value = json.loads((output / "ablation.json").read_text(encoding="utf-8"))
    assert value["variants"]["too_large"]["runs"][0]["status"] == "failed"
    listed = ablate(file, "--output", output, "--dry-run")
    assert [line.split()[:3] for line in listed.stdout.splitlines()[1:]] == [
        ["too_large", "0", "missing"],
        ["skin", "0", "done"],
    ]
    # what failed is reported again from the folder, and what is done is kept
    before = times(output)
    again = ablate(file, "--output", output, "--report-only")
    assert again.exit_code == 0, again.output
    assert "too_large" in again.stdout
    assert times(output) == before


def _wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if path.is_file():
            return
        if process.poll() is not None:
            raise AssertionError(f"it ended early: {process.communicate()}")
        time.sleep(0.01)
    raise AssertionError(f"{path} never came")


def test_what_is_there_is_kept_and_what_changed_is_made_anew_only_when_asked(
    tmp_path: Path, base: dict[str, Any], inline_engine: Any
) -> None:
    file, output = write(tmp_path, base, seeds=[0, 1]), tmp_path / "out"

    def again(**settings: Any) -> Any:
        lines: list[str] = []
        result = skinfw.ablate(file, output=output, engine=inline_engine, tell=lines.append, **settings)
        return result, lines

    result, _ = again(only=["skin"], seeds=[1])
    assert [run.status for run in result.runs] == ["missing", "done", "missing", "missing"]
    first = times(output)
    result, _ = again()
    assert [run.status for run in result.runs] == ["done"] * 4
    assert result.failures == []
    assert result.variants[1].spreads["image/psnr"].deviation is not None
    # the data split does not depend on the seed
    assert len({tuple(run.evaluated.evaluation.names) for run in result.runs}) == 1
    # but the weights do
    assert len(set(result.variants[0].spreads["skin/psnr"].values)) == 2
    all_times = times(output)
    assert all_times["skin/seed_1"] == first["skin/seed_1"]

    result, lines = again()
    assert lines == ["4 of 4 runs already done"]
    assert times(output) == all_times

    write(tmp_path, base, seeds=[0, 1], variants={"skin": {}, "whole": {"composite": "protect"}})
    with pytest.raises(RunError) as caught:
        again()
    assert f"{output / 'whole' / 'seed_1'}: holds a run of another spec: $.composite changed" in str(
        caught.value
    )
    assert times(output) == all_times
    result, _ = again(overwrite=True, seeds=[1])
    assert [run.status for run in result.runs] == ["done", "done", "changed", "done"]
    changed = [name for name, when in times(output).items() if when != all_times[name]]
    assert changed == ["whole/seed_1"]


def test_ray_is_asked_for_by_its_extra(
    tmp_path: Path, base: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = ablate(write(tmp_path, base), "--output", tmp_path / "out", "--engine", "ray")
    assert done.exit_code == 2
    assert "pip install 'skinfw[ray]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_worker_is_the_run_command(tmp_path: Path, base: dict[str, Any]) -> None:
    """A spec that cannot be read ends as it does with ``skinfw run``."""
    reading, held = os.pipe()  # the worker ends with whoever holds the other side
    done = subprocess.run(
        [sys.executable, "-m", "skinfw.cli.worker", "no.json", str(tmp_path / "run")],
        stdin=reading, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ},
    )  # fmt: skip
    os.close(reading)
    os.close(held)
    assert done.returncode == 2
    assert done.stderr == "Error: no.json: no such file; check the path\n"
