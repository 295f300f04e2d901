"""Generators at equal training time, beside the baselines: quality, size, pace and memory.

Each generator is trained on photos in a process of its own, on one core, for as many steps as fit into the
time, by a pace that is measured first. Times are the processor's: other work does not lengthen them.
``SKINFW_DATA=photos python benchmarks/generators.py --seconds 120``
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import skinfw

INPUTS = ["apparel_head_foot", "line", "segmentation_skin", "mask", "face"]
GENERATORS: dict[str, dict[str, Any]] = {
    "fcnn": {"type": "fcnn"},
    "pix2pix": {"type": "pix2pix", "base_channels": 16, "dropout": 0.5},
    "smp_unet": {"type": "smp_unet", "encoder": "tu-mobilenetv3_small_100"},
    "pix2pixhd": {"type": "pix2pixhd", "base_channels": 16, "downsamplings": 2, "blocks": 4},
    "gated_unet": {"type": "gated_unet", "base_channels": 16},
    "lama": {"type": "lama", "base_channels": 16, "downsamplings": 2, "blocks": 4},
    "pix2pix, tone": {"type": "pix2pix", "base_channels": 16, "dropout": 0.5, "condition": "tone"},
    "two_stage": {
        "type": "two_stage",
        "coarse": "mean_color",
        "refiner": {"type": "pix2pix", "base_channels": 16, "dropout": 0.5, "condition": "tone"},
    },
}
"""Widths are such that a step takes a fraction of a second on one core."""


def spec(
    generator: dict[str, Any], size: tuple[int, int], steps: int, baselines: list[str]
) -> dict[str, Any]:
    """Return a spec in which nothing but the generator differs."""
    prepare = {"margin": 3, "crop": {"aspect": 2, "margin": 0.05}}
    return {
        "name": "generator",
        "data": {
            "dataset": {"type": "photos", "root": os.environ["SKINFW_DATA"], "prepare": prepare},
            "size": size,
            "inputs": INPUTS,
            "on_corrupt": "skip",
            "validation_fraction": 0,
        },
        "generator": generator,
        "composite": "mask",
        "losses": [{"type": "l1", "region": "skin"}],
        "metrics": ["psnr", "ssim", "ciede2000"],
        "baselines": baselines,
        "training": {
            "steps": steps,
            "batch_size": 8,
            "generator_lr": 1e-3,
            "schedule": "linear",
            "device": "cpu",
            "threads": 1,
            "sample_every": 1000,
        },
    }


class Pace:
    """Notes the processor's time at the end of every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    @skinfw.hookimpl
    def step_ended(self) -> None:
        """Note the time."""
        self.times.append(time.process_time())

    @property
    def seconds_per_step(self) -> float:
        """The median of the steps."""
        return statistics.median(after - before for before, after in itertools.pairwise(self.times))


def measure(value: dict[str, Any], output: Path) -> dict[str, Any]:
    """Train in a process of its own; return what came out."""
    command = [sys.executable, __file__, "--run", json.dumps(value), "--output", str(output)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def run(value: dict[str, Any], output: Path) -> None:
    """Train in this process; print metrics, pace, parameters and peak memory as JSON."""
    from skinfw.reporting.facts import network_parameters
    from skinfw.specs.spec import inpainting_spec

    pace = Pace()
    made = skinfw.run(value, output=output, hooks=[pace])
    test = json.loads(made.metrics_path.read_text(encoding="utf-8"))["test"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    result = {
        "values": test["values"],
        "seconds_per_step": pace.seconds_per_step,
        "parameters": network_parameters(inpainting_spec(made.spec, output))["generator"],
        "peak": peak,
    }
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="processor time of each training")
    parser.add_argument("--size", type=int, nargs=2, default=(96, 48), help="height and width in pixels")
    parser.add_argument("--only", nargs="*", default=list(GENERATORS), help="which generators")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run(json.loads(arguments.run), arguments.output)
        return
    print("| painted by | skin PSNR | SSIM | CIEDE2000 | parameters | CPU s a step | steps | peak GB |")
    print("|---|---|---|---|---|---|---|---|")
    baselines: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        for number, name in enumerate(arguments.only):
            size, generator = tuple(arguments.size), GENERATORS[name]
            pace = measure(spec(generator, size, 8, []), Path(place, f"pace-{number}"))["seconds_per_step"]
            steps = max(8, round(arguments.seconds / pace))
            shown = [] if baselines else ["opencv_inpaint", "mean_color"]
            found = measure(spec(generator, size, steps, shown), Path(place, f"run-{number}"))
            baselines = baselines or {key: found["values"][key] for key in shown}
            more = f"{found['parameters']:,} | {found['seconds_per_step']:.3f} | {steps:,}"
            row(name, found["values"]["trained"], f"{more} | {found['peak'] / 1e9:.2f}")
    for name, values in baselines.items():
        row(name, values, "0 | | | ")


def row(name: str, values: dict[str, float], more: str) -> None:
    """Print a row of the table."""
    shown = [values[f"skin/{key}"] for key in ("psnr", "ssim", "ciede2000")]
    print(f"| {name} | {shown[0]:.2f} dB | {shown[1]:.3f} | {shown[2]:.2f} | {more} |", flush=True)


if __name__ == "__main__":
    main()
