"""How long a training step takes beside that of pytorch-CycleGAN-and-pix2pix, and beside a bare loop.

All train pix2pix as published at 256x256 with batches of 4 on the CPU: the other system from its aligned
images, skinfw from sample folders of the same people, by its own training loop with its defaults, and a
hand-written loop of the same operations from one batch in memory. Each runs in its own process, in which
it waits while the others take their steps: as other work on the machine takes time from all of them, it is
the ratios of the same round that count. Wall time is printed beside CPU time, which other work disturbs less:
`python benchmarks/peer.py CHECKOUT --threads 1`
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple


class Seconds(NamedTuple):
    """The time of a step."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Job:
    """What was asked for."""

    checkout: str
    folder: Path
    threads: int
    rounds: int
    steps: int
    tiny: bool

    @property
    def side(self) -> int:
        """Height and width of the images."""
        return 128 if self.tiny else 256

    @property
    def batch(self) -> int:
        """Images in a batch."""
        return 2 if self.tiny else 4

    def spec(self) -> Any:
        """Return the spec: more steps than are taken, so that the run does not end."""
        from _pix2pix import pix2pix

        people = {"type": "folder", "root": str(self.folder / "people")}
        options = {"device": "cpu", "threads": self.threads, "steps": 2 * self.rounds * self.steps}
        return pix2pix(people, self.side, self.batch, tiny=self.tiny, **options)


class Turn:
    """Sends the time of each step and waits for the next turn; the first step includes the start."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.began = self.now()

    @staticmethod
    def now() -> Seconds:
        """Return both clocks."""
        return Seconds(time.perf_counter(), time.process_time())

    def ended(self) -> None:
        """End a step; return when the next may begin."""
        now = self.now()
        self.pipe.send(Seconds(now.wall - self.began.wall, now.cpu - self.began.cpu))
        if not self.pipe.recv():
            raise SystemExit
        self.began = self.now()


def train_peer(job: Job, turn: Turn) -> None:
    """Train the other system from its files."""
    from _pix2pix import Peer

    peer = Peer(job.checkout, job.folder, job.side, job.batch, tiny=job.tiny)
    for batch in peer.batches():
        peer.step(batch)
        turn.ended()


def train_skinfw(job: Job, turn: Turn) -> None:
    """Train from sample folders, as `skinfw run` does once all samples are cached."""
    from skinfw import Pipeline, hookimpl
    from skinfw.assembly.assemble import build_training_dataset
    from skinfw.data.sample_cache import SampleCache

    class Steps:
        @hookimpl
        def step_ended(self) -> None:
            turn.ended()

    spec = job.spec()
    dataset = build_training_dataset(spec)
    samples = SampleCache(spec.data.sample_cache, dataset).reading(dataset)
    for name in dataset.names():
        samples.load(name)
    Pipeline(spec, output=job.folder / "run", hooks=[Steps()]).fit()


def train_bare(job: Job, turn: Turn) -> None:
    """Train by a hand-written loop in which freed memory is kept too, on one batch."""
    from _pix2pix import one_batch
    from loop_overhead import bare_step
    from skinfw.system.memory import keep_freed_memory

    keep_freed_memory()
    spec = job.spec()
    batch, step = one_batch(spec), bare_step(spec)
    while True:
        step(batch)
        turn.ended()


WAYS: dict[str, Callable[[Job, Turn], None]] = {
    "peer": train_peer, "skinfw": train_skinfw, "bare loop": train_bare,
}  # fmt: skip


def work(way: str, job: Job, pipe: Connection) -> None:
    """Train in one way, step by step, until told to stop."""
    turn = Turn(pipe)
    import cv2
    import torch

    torch.set_num_threads(job.threads)
    cv2.setNumThreads(job.threads)
    with suppress(SystemExit):
        WAYS[way](job, turn)


def write_images(job: Job, count: int) -> None:
    """Write people as sample folders, and the same as the other system's aligned images."""
    import numpy as np
    from PIL import Image

    from sample_cache import write_people

    write_people(job.folder / "people", count, (job.side, job.side))
    (job.folder / "train").mkdir()
    for sample in (job.folder / "people").iterdir():
        halves = [np.asarray(Image.open(sample / f"{part}.png")) for part in ("apparel_head_foot", "body")]
        Image.fromarray(np.concatenate(halves, axis=1)).save(job.folder / "train" / f"{sample.name}.png")


class Worker:
    """A process that trains in one way, step by step."""

    def __init__(self, way: str, job: Job, context: Any) -> None:
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(way, job, other))
        self.process.daemon = True
        self.process.start()
        other.close()

    def time(self) -> Seconds:
        """Wait for the end of its step."""
        while not self.pipe.poll(1):
            if not self.process.is_alive():
                raise RuntimeError("a process ended early")
        taken: Seconds = self.pipe.recv()
        return taken

    def step(self) -> Seconds:
        """Let it take a step."""
        self.pipe.send(True)
        return self.time()

    def stop(self) -> None:
        """Let it end."""
        self.pipe.send(False)
        self.process.join()


def measure(job: Job) -> list[dict[str, Seconds]]:
    """Return the mean time of a step in each round, by way."""
    context = multiprocessing.get_context("spawn")
    workers = {}
    for way in WAYS:
        workers[way] = Worker(way, job, context)
        workers[way].time()  # the start, and the first step
    found = []
    for number in range(job.rounds):
        order = list(WAYS)[:: -1 if number % 2 else 1]
        taken: dict[str, list[Seconds]] = {way: [] for way in order}
        for _ in range(job.steps):
            for way in order:
                taken[way].append(workers[way].step())
        means = {way: Seconds(*map(statistics.mean, zip(*taken[way], strict=True))) for way in WAYS}
        print(*(f"{way} {mean.cpu:.2f} s," for way, mean in means.items()), "of CPU time", flush=True)
        found.append(means)
    for worker in workers.values():
        worker.stop()
    return found


def table(found: Sequence[Mapping[str, Seconds]]) -> str:
    """Return the medians over the rounds: of the times, and of the ratios within a round."""
    lines = [f"{'':24}{'CPU':>10}{'wall':>10}"]
    for way in WAYS:
        cpu, wall = (statistics.median(each[way][kind] for each in found) for kind in (1, 0))
        lines.append(f"{way:24}{cpu:8.3f} s{wall:8.3f} s")
    for other in ("peer", "bare loop"):
        cpu, wall = (
            statistics.median(each["skinfw"][kind] / each[other][kind] for each in found) for kind in (1, 0)
        )
        lines.append(f"{f'skinfw / {other}':24}{cpu:10.3f}{wall:10.3f}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", help="a checkout of pytorch-CycleGAN-and-pix2pix")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3, help="steps of each in a round")
    parser.add_argument("--tiny", action="store_true", help="small images and networks")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SKINFW_CACHE"] = str(Path(folder, "cache"))
        job = Job(
            str(Path(asked.checkout).resolve()),
            Path(folder),
            asked.threads,
            asked.rounds,
            asked.steps,
            asked.tiny,
        )
        # of ten people, nine are for training
        write_images(job, job.batch * (asked.rounds * asked.steps + 5) * 5 // 4)
        print(table(measure(job)))


if __name__ == "__main__":
    main()
