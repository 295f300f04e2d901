"""The command: killed and interrupted in processes of its own, and mistreated in this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from forked import Forks
from safetensors.torch import load_file

from skinfw.assembly.assemble import build_dataset
from skinfw.cli import main
from skinfw.data.split import split_names
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import open_run
from skinfw.runs.split_record import read_split
from skinfw.tasks.evaluate_run import evaluate_run

SIDES = {"train": "training", "validation": "validation", "test": "test"}
MakeSpec = Callable[..., dict[str, Any]]


def run_here(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


def write_spec(folder: Path, value: dict[str, Any]) -> Path:
    path = folder / "spec.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def weights(run: Path) -> dict[str, bytes]:
    """Return every tensor of the last checkpoint as bytes."""
    return {
        name: tensor.numpy().tobytes()
        for name, tensor in load_file(run / "checkpoints" / "last.safetensors").items()
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the tiny job."""
    folder = tmp_path_factory.mktemp("finished")
    done = run_here(write_spec(folder, killed_spec()), "--output", folder / "run")
    assert done.exit_code == 0, done.stderr
    for part in (
        "kept pixels changed",
        "typology angle",
        "the trained generator reaches skin PSNR",
        "Report: ",
    ):
        assert part in done.stdout
    split = json.loads((folder / "run" / "split.json").read_text(encoding="utf-8"))
    counts = ", ".join(f"{len(split[side])} {name}" for side, name in SIDES.items())
    assert f"samples: {counts}\n" in done.stderr
    return folder / "run"


def killed_spec() -> dict[str, Any]:
    return {
        "name": "killed",
        "data": {
            "dataset": {"type": "mannequins", "count": 30},
            "size": [32, 32],
            "validation_fraction": 0.2,
        },
        "generator": {"type": "pix2pix", "base_channels": 4, "dropout": 0.3},
        "discriminator": {"type": "patchgan", "patch": 16, "base_channels": 4},
        "losses": [{"type": "l1", "weight": 100}, "gan"],
        "composite": "skin",
        "metrics": ["psnr"],
        "training": {
            "epochs": 4, "batch_size": 4, "device": "cpu", "threads": 1, "checkpoint_every": 4,
            "schedule": "linear",
        },
    }  # fmt: skip


def test_a_run_leaves_everything_the_run_folder_promises(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    assert names == {
        "spec.json", "environment.json", "log.jsonl", "tensorboard", "samples", "checkpoints",
        "metrics.json", "report.html", "split.json", "data.json",
    }  # fmt: skip
    assert {path.name for path in (finished / "checkpoints").iterdir()} == {
        "best.safetensors", "last.safetensors",
    }  # fmt: skip
    assert list((finished / "tensorboard").glob("events.*"))
    assert list((finished / "samples").glob("epoch_*.png"))
    metrics = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["test"]["values"]) == {"trained", "opencv_inpaint", "mean_color"}


def test_the_filled_spec_runs_again_as_it_is(finished: Path, tmp_path: Path) -> None:
    done = run_here(finished / "spec.json", "--output", tmp_path / "again")
    assert done.exit_code == 0, done.stderr
    assert weights(tmp_path / "again") == weights(finished)


def test_a_run_that_was_killed_and_interrupted_ends_in_the_same_weights(
    finished: Path, tmp_path: Path, forks: Forks
) -> None:
    spec, run = write_spec(tmp_path, killed_spec()), tmp_path / "run"
    command = ["-m", "skinfw", "run", str(spec), "--output", str(run)]
    # before the first checkpoint, and after the second one in the run that was killed
    for step, number, code in ((2, signal.SIGKILL, -signal.SIGKILL), (11, signal.SIGINT, 130)):
        processes = forks.start([*command, *(["--resume"] if step > 2 else [])])
        forks.wait_for(run / "log.jsonl", processes, f'"step": {step},')
        processes[0].send_signal(number)
        ((ended, _, errors),) = forks.ended(processes)
        assert ended == code
        assert not (run / "metrics.json").exists()
    assert "Traceback" not in errors
    assert "is saved. Continue with --resume." in errors
    done = run_here(spec, "--output", run, "--resume")
    assert done.exit_code == 0, done.stderr
    assert weights(run) == weights(finished)
    steps = [
        record["step"]
        for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
        if (record := json.loads(line))["event"] == "step"
    ]
    assert steps == sorted(set(steps))
    assert (run / "report.html").is_file()
    assert not list(run.rglob("*.tmp"))


def test_a_loss_that_is_not_finite_stops_with_the_step_and_the_last_good_checkpoint(
    tmp_path: Path, tiny_spec: MakeSpec
) -> None:
    value = tiny_spec(losses=["l1"])
    value.pop("discriminator")
    value["training"] |= {"generator_lr": 1e15, "checkpoint_every": 1, "epochs": 5}
    spec = write_spec(tmp_path, value)
    done = run_here(spec, "--output", tmp_path / "run")
    assert done.exit_code == 1
    assert "step 2" in done.stderr
    assert "'l1' became nan" in done.stderr
    assert str(tmp_path / "run" / "checkpoints" / "last.safetensors") in done.stderr


def test_a_folder_that_exists_is_refused_and_named(finished: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, killed_spec())
    before = weights(finished)
    done = run_here(spec, "--output", finished)
    assert done.exit_code == 2
    assert "--resume" in done.stderr
    assert "--overwrite" in done.stderr
    assert weights(finished) == before


def test_overwrite_replaces_a_run_and_nothing_else(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec, run = write_spec(tmp_path, tiny_spec()), tmp_path / "run"
    assert run_here(spec, "--output", run, "--set", "training.epochs=1").exit_code == 0
    (run / "notes.txt").write_text("mine", encoding="utf-8")
    done = run_here(spec, "--output", run, "--overwrite", "--set", "training.epochs=2")
    assert done.exit_code == 0, done.stderr
    assert (run / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert json.loads((run / "spec.json").read_text(encoding="utf-8"))["training"]["epochs"] == 2


def test_a_folder_of_other_things_is_not_overwritten(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "metrics.json").write_text("mine", encoding="utf-8")
    spec = write_spec(tmp_path, tiny_spec())
    done = run_here(spec, "--output", tmp_path / "precious", "--overwrite")
    assert done.exit_code == 2
    assert "is not a run folder; give another --output" in done.stderr
    assert (tmp_path / "precious" / "metrics.json").read_text(encoding="utf-8") == "mine"


def test_resuming_another_spec_is_refused(finished: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, {**killed_spec(), "seed": 1})
    done = run_here(spec, "--output", finished, "--resume")
    assert done.exit_code == 2
    assert "$.seed changed" in done.stderr
    value = killed_spec()
    value["training"]["generator_lr"] = 1e-5
    done = run_here(write_spec(tmp_path, value), "--output", finished, "--resume")
    assert done.exit_code == 2
    assert "$.training.generator_lr changed" in done.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run_here(write_spec(tmp_path, tiny_spec()), "--output", tmp_path / "file" / "run")
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file") in done.stderr


def test_a_full_disk_gives_one_clear_error_and_loses_nothing(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        spec = write_spec(tmp_path, tiny_spec())
        done = run_here(spec, "--output", disk / "run")
        assert done.exit_code == 2
        assert "Traceback" not in done.stderr
        assert "No space left on device" in done.stderr
        assert not list(disk.rglob("*.tmp"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_resuming_a_finished_run_says_so(finished: Path, tmp_path: Path) -> None:
    before = weights(finished)
    done = run_here(write_spec(tmp_path, killed_spec()), "--output", finished, "--resume")
    assert done.exit_code == 0, done.stderr
    assert "steps are already trained" in done.stderr
    assert weights(finished) == before


def test_two_processes_train_together(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    value = tiny_spec()
    value["training"]["eval_batch_size"] = 1
    spec = write_spec(tmp_path, value)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
         "-m", "skinfw", "run", str(spec), "--output", str(tmp_path / "run")],
        capture_output=True, text=True, timeout=1200, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "FutureWarning" not in done.stderr
    assert "no evaluation chose the best checkpoint" not in done.stderr
    log = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [record["step"] for record in map(json.loads, log) if record["event"] == "step"]
    # a step takes 4 samples of each process, in both epochs
    train = split_names([f"mannequin-{index:06d}" for index in range(20)], 0.2, 0.2).train
    assert steps == list(range(1, 2 * (len(train) // 8) + 1))
    assert (tmp_path / "run" / "report.html").is_file()

    # both measure a part; the values are those of one process
    run = open_run(tmp_path / "run")
    record = json.loads(run.metrics_path.read_text(encoding="utf-8"))["test"]
    assert_alike(record["values"], evaluate_run(run, device=torch.device("cpu")).values)
    last = read_checkpoint(run.checkpoint("last"))
    split = read_split(run.folder)
    assert split is not None and len(split.validation) > 1
    alone = evaluate_generator(
        load_generator(last, torch.device("cpu")), run.spec, build_dataset(run.spec), split.validation,
        split="validation", step=last.progress.step, device=torch.device("cpu"),
    )  # fmt: skip
    (found,) = [each for each in map(json.loads, log) if each.get("event") == "evaluation"][-1:]
    assert_alike({"trained": found["values"]}, alone.values)


def assert_alike(found: dict[str, Any], expected: Mapping[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-5), name


def test_a_run_that_never_began_is_in_nobodys_way(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    value = tiny_spec()
    value["training"]["batch_size"] = 1000
    done = run_here(write_spec(tmp_path, value), "--output", tmp_path / "run")
    assert done.exit_code == 2
    assert "too few for one step" in done.stderr
    value["training"]["batch_size"] = 4
    done = run_here(write_spec(tmp_path, value), "--output", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
