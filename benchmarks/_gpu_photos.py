"""Photos on a GPU: how fast they load, and whole trainings."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from _gpu_job import Job
from skinfw.assembly.assemble import build_dataset
from skinfw.data.loading import Loader, ShuffledOrder
from skinfw.data.sample_cache import Readable, SampleCache
from skinfw.specs.spec import inpainting_spec, parse_spec

EXAMPLES = Path(__file__).parents[1] / "examples"


def loading(job: Job) -> None:
    """Measure how many samples per second come from the disk, and from the cache, by dataloader workers."""
    side = 64 if job.tiny else 512
    spec = json.loads((EXAMPLES / "report.json").read_text("utf-8"))
    spec["data"] = photos(job, (side, side))
    ready = inpainting_spec(parse_spec(spec), "loading")
    dataset = build_dataset(ready)
    names = list(dataset.names())[:32] if job.tiny else list(dataset.names())
    for num_workers in (0, 1) if job.tiny else (0, 4, 14):
        rate = samples_per_second(dataset, names, num_workers)
        job.note("loading", side=side, num_workers=num_workers, samples_per_second=rate)
    cached = SampleCache(ready.data.sample_cache, dataset).reading(dataset)
    samples_per_second(cached, names, 0 if job.tiny else 14, limit=20)  # fills the cache
    for num_workers in (0, 1) if job.tiny else (0, 4, 14):
        rate = samples_per_second(cached, names, num_workers)
        job.note("loading, cached", side=side, num_workers=num_workers, samples_per_second=rate)


def photos(job: Job, size: tuple[int, int], **dataset: Any) -> dict[str, Any]:
    """Return the ``data`` of a spec that reads the photos."""
    crop = {"aspect": size[0] // size[1], "margin": 0.05}
    return {
        "dataset": {"type": "photos", "root": job.photos, "segmenter": "deepfashion",
                    "pose_encoder": "openpose", "prepare": {"margin": 3, "crop": crop}, **dataset},
        "size": list(size), "inputs": ["apparel_head_foot", "line", "segmentation_skin"],
        "on_corrupt": "skip",
    }  # fmt: skip


def samples_per_second(source: Readable, names: list[str], num_workers: int, limit: float = 6) -> float:
    """Load each sample once, or as many as the seconds allow; workers that start do not count."""
    order = ShuffledOrder(len(names), 0)
    iterator = iter(
        Loader(source, names, batch_size=8, num_workers=num_workers, order=order, skip_corrupt=True)
    )
    next(iterator)
    began, count = time.perf_counter(), 0
    for batch in iterator:
        count += len(batch.names)
        if time.perf_counter() - began > limit:
            break
    return round(count / (time.perf_counter() - began), 1)


def trainings(job: Job) -> None:
    """Train the report's spec and the recommended one."""
    num_workers = 0 if job.tiny else min(14, os.cpu_count() or 1)
    report = json.loads((EXAMPLES / "report.json").read_text("utf-8"))
    report.pop("$schema")
    report["data"] = photos(job, (64, 64) if job.tiny else (512, 512)) | {"num_workers": num_workers}
    report["metrics"] = ["mse", "psnr", "ssim"]  # the networks of FID and KID cannot be fetched everywhere
    if job.tiny:
        report["generator"]["base_channels"], report["discriminator"]["patch"] = 8, 34
        report["training"] |= {"batch_size": 4}
    if job.tiny:
        report["training"]["epochs"] = 1
    report["training"] |= {"precision": "auto", "evaluate_every": 40, "sample_every": 120}
    train(job, "report", report, 240)
    best = json.loads((EXAMPLES / "photos.json").read_text("utf-8"))
    best.pop("$schema")
    for size, depth in (((64, 32), 3),) if job.tiny else (((256, 128), 5), ((512, 256), 6)):
        best["data"] |= {"size": list(size), "num_workers": num_workers}
        best["data"]["dataset"]["root"] = job.photos
        best["generator"]["refiner"]["depth"] = depth
        epochs = 1 if job.tiny else 20
        best["training"] |= {
            "epochs": epochs, "precision": "auto", "evaluate_every": 10, "sample_every": 20
        }  # fmt: skip
        train(job, f"photos_{size[0]}", best, 110)


def train(job: Job, name: str, spec: dict[str, Any], limit: float) -> None:
    """Train a spec by the command line, and note its pace, its metrics and its exit code."""
    if job.left() < 30:
        job.note(name, skipped="no time left")
        return
    work = job.output / "work"
    work.mkdir(exist_ok=True)
    path, folder = work / f"{name}.json", work / name
    path.write_text(json.dumps(spec), encoding="utf-8")
    command = [sys.executable, "-m", "skinfw", "run", str(path), "--output", str(folder)]
    began = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=min(limit, job.left() - 10), check=False
        )
        code: int | str = done.returncode
        said = done.stderr[-500:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        code, said = "stopped at its limit", ""
    log = folder / "log.jsonl"
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.is_file() else []
    taken = [event["seconds_per_step"] for event in events if event["event"] == "step"]
    values = {}
    if (folder / "metrics.json").is_file():
        values = json.loads((folder / "metrics.json").read_text("utf-8"))["test"]["values"]
        values = {
            who: {key: round(value, 3) for key, value in each.items() if value is not None and "psnr" in key}
            for who, each in values.items()
        }
    last = [event["step"] for event in events if event["event"] == "step"][-1:]
    job.note(
        name, exit=code, seconds=round(time.monotonic() - began, 1), steps=last,
        seconds_per_step=round(statistics.median(taken[2:] or taken), 4) if taken else None,
        values=values, said=said,
    )  # fmt: skip
    report = folder / "report.html"
    if report.is_file():
        shutil.copy(report, job.output / f"{name}.html")
    shutil.rmtree(folder, ignore_errors=True)
