"""What skinfw does on a GPU: its tests, parity with the CPU, pace, and the report's own training.

It runs unattended, begins nothing after its time limit, goes on where a part fails, and writes its table
(``gpu.json``) after every row. On a machine without a GPU it measures the CPU: ``--tiny`` is a rehearsal.
``python benchmarks/gpu.py --photos PHOTOS --output FOLDER [--peer CHECKOUT]``
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from _gpu_job import Job, pace
from _gpu_photos import loading, trainings
from _gpu_steps import compiled, parity, steps
from skinfw.system.devices import cuda_arithmetic, pick_device

ROOT = Path(__file__).parents[1]


def machine(job: Job) -> None:
    """Note the card, and its rates as torch reaches them."""
    device = pick_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    job.note("machine", torch=torch.__version__, device=name, cores=os.cpu_count())
    side = 256 if job.tiny else 8192
    for precision in (torch.float32, torch.bfloat16):
        for tf32 in (False, True) if precision is torch.float32 else (True,):
            with cuda_arithmetic(device, tf32=tf32, benchmark=False):
                one, other = (torch.randn(side, side, device=device, dtype=precision) for _ in range(2))
                seconds = pace(lambda one=one, other=other: one @ other, 2, 5)  # type: ignore[misc]
            kind = str(precision).removeprefix("torch.") + (
                ", TF32" if tf32 and precision.itemsize == 4 else ""
            )
            job.note("matrix product", kind=kind, teraflops=round(2 * side**3 / seconds / 1e12, 1))


def tests(job: Job) -> None:
    """Run the tests that are marked gpu."""
    command = [sys.executable, "-m", "pytest", "--tb=short", "-p", "no:cacheprovider", "tests/gpu"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=min(job.left(), 120), check=False
    )
    (job.output / "tests.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    job.note("tests", exit=done.returncode, said=done.stdout.strip().splitlines()[-1:])


PARTS: dict[str, Callable[[Job], None]] = {
    "machine": machine, "tests": tests, "parity": parity, "steps": steps, "loading": loading,
    "trainings": trainings, "compiled": compiled,
}  # fmt: skip


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", required=True, help="photos with label maps and poses")
    parser.add_argument("--output", required=True, type=Path, help="folder of the table and the reports")
    parser.add_argument("--seconds", type=float, default=480, help="time limit")
    parser.add_argument("--tiny", action="store_true", help="small images and networks")
    parser.add_argument("--peer", help="a checkout of pytorch-CycleGAN-and-pix2pix")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    photos = str(Path(asked.photos).resolve())
    os.environ["SKINFW_DATA"] = photos
    job = Job(photos, asked.output.resolve(), asked.seconds, asked.tiny, asked.peer)
    for name in asked.parts:
        if job.left() < 30:
            job.note(name, skipped="no time left")
            continue
        try:
            PARTS[name](job)
        except Exception as error:  # the next part may work
            traceback.print_exc()
            job.note(name, failed=f"{type(error).__name__}: {error}"[:500])
    job.note("all", seconds=round(time.monotonic() - job.began))


if __name__ == "__main__":
    main()
