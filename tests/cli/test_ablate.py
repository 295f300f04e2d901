"""Ablations by the command: runs in processes of their own, killed and gone on with."""

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

from skinfw.cli import main


@pytest.fixture
def write_ablation(tiny_spec: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """Write an ablation file of tiny runs; keywords replace whole fields."""

    def write(**fields: Any) -> Path:
        base = tiny_spec(baselines=[], training={"steps": 2, "batch_size": 4, "device": "cpu", "threads": 1})
        variants = {"with_pose": {}, "without_pose": {"data": {"inputs": ["apparel_head_foot"]}}}
        ablation = {"name": "pose", "base": base, "variants": variants, **fields}
        ablation["base"]["composite"] = "none"
        path = tmp_path / "pose.json"
        path.write_text(json.dumps(ablation), encoding="utf-8")
        return path

    return write


def ablate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["ablate", *map(str, arguments)])


def test_variants_run_side_by_side_and_again_only_the_tables_are_made(
    write_ablation: Callable[..., Path], tmp_path: Path
) -> None:
    file, output = write_ablation(), tmp_path / "out"
    done = ablate(file, "--output", output, "--jobs", "2")
    assert done.exit_code == 0, done.output
    assert "Best by skin PSNR" in done.output
    for name in ("table.csv", "table.md", "table.tex", "ablation.json", "ablation.html"):
        assert (output / name).is_file()
    record = json.loads((output / "with_pose" / "seed_0" / "metrics.json").read_text(encoding="utf-8"))
    assert f"{record['test']['values']['trained']['skin/psnr']:.2f}" in done.output
    checkpoint = output / "with_pose" / "seed_0" / "checkpoints" / "best.safetensors"
    before = checkpoint.stat().st_mtime_ns
    again = ablate(file, "--output", output)
    assert again.exit_code == 0
    assert checkpoint.stat().st_mtime_ns == before
    listed = ablate(file, "--output", output, "--dry-run").output
    assert listed.count("done") == 2


def test_one_variant_that_fails_is_told_and_the_others_go_on(
    write_ablation: Callable[..., Path], tmp_path: Path
) -> None:
    broken = {"training": {"batch_size": 500}}
    file = write_ablation(variants={"too_large": broken, "fine": {}})
    done = ablate(file, "--output", tmp_path / "out")
    assert done.exit_code == 1
    assert "Failed: too_large seed 0" in done.output
    assert "too few for one step of 500" in done.output
    assert "fine" in (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    assert "too few for one step" in (tmp_path / "out" / "ablation.html").read_text(encoding="utf-8")


def test_all_faults_of_all_variants_are_told_before_anything_runs(
    write_ablation: Callable[..., Path], tmp_path: Path
) -> None:
    file = write_ablation(
        variants={"a": {"generator": {"type": "pix2pixx"}}, "b": {"training": {"batch_size": 0}}}
    )
    done = ablate(file, "--output", tmp_path / "out")
    assert done.exit_code == 2
    for part in ("variant a: $.generator", "did you mean 'pix2pix'", "variant b: $.training.batch_size"):
        assert part in done.output
    assert not (tmp_path / "out").exists()


def test_a_killed_ablation_goes_on_where_it_was(
    write_ablation: Callable[..., Path], tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    training = {
        "steps": 300, "batch_size": 4, "device": "cpu", "threads": 1,
        "checkpoint_every": 2, "evaluate_every": 300, "sample_every": 300,
    }  # fmt: skip
    file = write_ablation(base=tiny_spec(baselines=[], training=training), variants={"only": {}})
    output = tmp_path / "out"
    command = [sys.executable, "-m", "skinfw", "ablate", str(file), "--output", str(output)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as process:
        last = output / "only" / "seed_0" / "checkpoints" / "last.safetensors"
        deadline = time.monotonic() + 120
        while not last.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130, told
    assert "Go on with the same command" in told
    listed = ablate(file, "--output", output, "--dry-run").output
    assert "half done" in listed
    done = ablate(file, "--output", output)
    assert done.exit_code == 0, done.output
    log = (output / "only" / "seed_0" / "log.jsonl").read_text(encoding="utf-8")
    steps = [record["step"] for record in map(json.loads, log.splitlines()) if record["event"] == "step"]
    assert steps == list(range(1, 301)), "a step was lost or trained twice"


def test_options_that_do_not_go_together_are_refused(write_ablation: Callable[..., Path]) -> None:
    file = write_ablation()
    for arguments, told in (
        (["--dry-run", "--report-only"], "give only one of them"),
        (["--address", "auto"], "are of --engine ray"),
        (["--engine", "ray", "--jobs", "2"], "--jobs is of --engine local"),
        (["--seeds", "a"], "expected whole numbers"),
        (["--only", "with_poze"], "did you mean 'with_pose'"),
        (["--size", "smoke"], "smoke"),
    ):
        done = ablate(file, *arguments)
        assert done.exit_code == 2, done.output
        assert told in done.output


def test_a_missing_ray_is_told_with_the_pip_command(
    write_ablation: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = ablate(write_ablation(), "--engine", "ray")
    assert done.exit_code == 2
    assert "pip install 'skinfw[ray]'" in done.output


def test_runs_spread_over_a_ray_cluster_of_two_nodes(
    write_ablation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'skinfw[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        cluster.wait_for_nodes()
        output = tmp_path / "out"
        done = ablate(write_ablation(), "--output", output, "--engine", "ray", "--address", cluster.address)
        assert done.exit_code == 0, done.output
    finally:
        cluster.shutdown()
    outcomes = [json.loads(path.read_text(encoding="utf-8")) for path in output.glob("*/*.outcome.json")]
    assert [outcome["ending"] for outcome in outcomes] == ["done", "done"]
    assert len({outcome["where"] for outcome in outcomes}) == 2, "one node made both runs"
