"""Resident memory of training a DCGAN at 512x512 pixels, where the report's did not fit (section 5.2.2.2).

A whole run is measured in a process of its own: a few steps on drawn people in batches of 4 on the CPU,
evaluation, checkpoints and report included. Linux and macOS only: `python benchmarks/dcgan_memory.py`
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_GB = 4.0


def measure(output: Path, count: int, steps: int, max_channels: int) -> None:
    """Train in this process; print its peak resident memory in bytes."""
    import skinfw

    layers = {"type": "dcgan", "max_channels": max_channels}
    skinfw.run(
        {
            "name": "dcgan-512",
            "data": {"dataset": {"type": "mannequins", "count": count}, "size": [512, 512]},
            "generator": layers,
            "discriminator": layers,
            "losses": ["gan"],
            "baselines": [],
            "training": {"steps": steps, "batch_size": 4, "eval_batch_size": 4, "device": "cpu"},
        },
        output=output,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak * (1 if sys.platform == "darwin" else 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="number of samples")
    parser.add_argument("--steps", type=int, default=4, help="optimizer steps")
    parser.add_argument("--max-channels", type=int, default=1024, help="max_channels of both networks")
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        measure(arguments.measure, arguments.count, arguments.steps, arguments.max_channels)
        return
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, *sys.argv, "--measure", str(Path(place, "run"))]
        began = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.perf_counter() - began
    peak = int(done.stdout.split()[-1]) / 1e9
    print(
        f"512x512, batch 4, {arguments.steps} steps, {arguments.count} samples: peak {peak:.2f} GB in "
        f"{seconds:.0f} s, {peak / LIMIT_GB:.2f} times {LIMIT_GB:.0f} GB"
    )


if __name__ == "__main__":
    main()
