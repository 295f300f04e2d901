"""The benchmark against another system, which is replaced by a stub of a few lines."""

from __future__ import annotations

import importlib
import multiprocessing
import multiprocessing.dummy
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PEER = {
    "options/train_options.py": """
import argparse, sys
class TrainOptions:
    def parse(self):
        parser = argparse.ArgumentParser()
        for name in ("netG", "ngf", "batch_size", "dataroot", "gpu_ids"):
            parser.add_argument(f"--{name}", required=True)
        return parser.parse_known_args()[0]
""",
    "models/__init__.py": """
SEEN = []
class Model:
    def set_input(self, batch):
        SEEN.append(batch)
    def optimize_parameters(self):
        SEEN[-1]["trained"] = True
def create_model(options):
    SEEN.append(options)
    return Model()
""",
    "data/__init__.py": """
import pathlib
def create_dataset(options):
    paths = sorted(pathlib.Path(options.dataroot, "train").iterdir())
    return [{"path": path, "file": path.read_bytes()} for path in paths]
""",
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A system with the names that the benchmark uses, and the benchmarks as modules."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("SKINFW_CACHE", "")  # the benchmark sets its own
    threads, before = (torch.get_num_threads(), cv2.getNumThreads()), set(sys.modules)
    folder = tmp_path / "checkout"
    for name, text in PEER.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    yield folder
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])
    own = {path.stem for path in BENCHMARKS.glob("*.py")} | {"data", "models", "options"}
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in own:
            del sys.modules[name]


def benchmark(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_all_ways_take_their_turns(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Threads instead of processes, whose start takes long."""
    peer, turns, cached = benchmark("peer"), [], []
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: multiprocessing.dummy)
    step = peer.Worker.step

    def spied(worker: object) -> object:
        turns.append(worker)
        cached[:] = [path for path in Path(os.environ["SKINFW_CACHE"]).rglob("*") if path.is_file()]
        return step(worker)

    monkeypatch.setattr(peer.Worker, "step", spied)
    monkeypatch.setattr(sys, "argv", ["peer.py", str(checkout), "--tiny", "--rounds", "2", "--steps", "1"])
    peer.main()

    lines = [line.split() for line in capsys.readouterr().out.splitlines()[-6:]]
    assert [line[0] for line in lines[1:4]] == ["peer", "skinfw", "bare"]
    assert all(float(line[-2]) > 0 for line in lines[2:4])
    one, two, three = turns[:3]
    assert len({one, two, three}) == 3
    assert turns[3:] == [three, two, one]
    options, *seen = sys.modules["models"].SEEN
    assert (options.netG, options.ngf, options.batch_size) == ("unet_128", "8", "2")
    assert len(seen) == 3
    assert all(batch["trained"] for batch in seen)
    assert len({batch["path"] for batch in seen}) == 3
    image = cv2.imdecode(np.frombuffer(seen[0]["file"], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (128, 256, 3)
    assert (image[:, :128] != image[:, 128:]).any()
    assert len(cached) == 17 + 2  # all people, once; what they depend on, and when they were used


def test_the_table_has_medians_of_ratios(checkout: Path) -> None:
    peer = benchmark("peer")
    rounds = [(2.0, 1.0, 1.0), (4.0, 3.0, 2.0), (100.0, 40.0, 50.0)]
    found = [
        {way: peer.Seconds(wall=10 * cpu, cpu=cpu) for way, cpu in zip(peer.WAYS, each, strict=True)}
        for each in rounds
    ]
    lines = [line.split() for line in peer.table(found).splitlines()]
    assert lines[1] == ["peer", "4.000", "s", "40.000", "s"]
    assert lines[4] == ["skinfw", "/", "peer", "0.500", "0.500"]
    assert lines[5] == ["skinfw", "/", "bare", "loop", "1.000", "1.000"]


def test_the_bare_loop_does_what_the_engine_does(checkout: Path) -> None:
    from skinfw.tasks.inpainting.networks import Networks
    from skinfw.training.accelerator import make_accelerator

    spec = benchmark("loop_overhead").make_spec(3)
    batch = benchmark("_pix2pix").one_batch(spec)
    bare = benchmark("loop_overhead").bare_step(spec)
    losses = []
    for number in (1, 2, 3):
        torch.manual_seed(number)  # dropout
        losses.append(bare(batch))
    networks = Networks(spec, make_accelerator(spec.training))
    for number, loss in zip((1, 2, 3), losses, strict=True):
        torch.manual_seed(number)
        found = networks.train_step([batch], number)
        assert loss == pytest.approx(100 * found["l1"] + found["gan"], rel=1e-4)
    assert losses[2] < losses[0]
