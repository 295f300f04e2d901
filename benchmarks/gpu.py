"""What skinfw does on a GPU: its tests, parity with the CPU, pace, and the report's own training.

It runs unattended, begins nothing after its time limit, goes on where a part fails, and writes its table
(``gpu.json``) after every row. On a machine without a GPU it measures the CPU: ``--tiny`` is a rehearsal.
``python benchmarks/gpu.py --photos PHOTOS --output FOLDER [--peer CHECKOUT]``
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from _pix2pix import Peer, one_batch, pix2pix
from skinfw.assembly.assemble import build_dataset
from skinfw.data.batch import Batch
from skinfw.data.loading import Loader, ShuffledOrder
from skinfw.specs.spec import Spec, inpainting_spec, parse_spec
from skinfw.system.devices import cuda_arithmetic, pick_device
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.accelerator import make_accelerator

ROOT = Path(__file__).parents[1]
Row = dict[str, Any]


@dataclass
class Job:
    """What was asked for, and the table so far."""

    photos: str
    output: Path
    seconds: float
    tiny: bool
    peer: str | None
    began: float = field(default_factory=time.monotonic)
    rows: list[Row] = field(default_factory=list)

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def note(self, part: str, **row: Any) -> None:
        """Print a row and write the table."""
        self.rows.append({"part": part, **row})
        words = ", ".join(f"{key} {value}" for key, value in row.items())
        print(f"[{time.monotonic() - self.began:4.0f} s] {part}: {words}", flush=True)
        (self.output / "gpu.json").write_text(json.dumps(self.rows, indent=1), encoding="utf-8")


def synchronize() -> None:
    """Wait for the device."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


def pace(step: Callable[[], object], warm: int, count: int) -> float:
    """Return the median seconds of a call, each waited for."""
    for _ in range(warm):
        step()
    times = []
    for _ in range(count):
        synchronize()
        began = time.perf_counter()
        step()
        synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def throughput(step: Callable[[], object], count: int) -> float:
    """Return the mean seconds of calls that are waited for together, as in training."""
    synchronize()
    began = time.perf_counter()
    for _ in range(count):
        step()
    synchronize()
    return (time.perf_counter() - began) / count


def people(job: Job, side: int, batch: int, **training: Any) -> Spec:
    """Return pix2pix as published, on drawn people."""
    return pix2pix({"type": "mannequins", "count": 40}, side, batch, tiny=job.tiny, **training)


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


def one_step(spec: Spec, batch: Batch) -> dict[str, Tensor]:
    """Return the painted images, the losses and each network's first gradient, in float64 on the CPU."""
    networks = Networks(spec, make_accelerator(spec.training))
    with torch.no_grad():
        networks.generator.eval()
        moved = batch.to(networks.accelerator.device, torch.channels_last)
        painted = networks.inpainter(networks.generator, moved).output
        networks.generator.train()
    losses = networks.train_step([batch], 1)
    found = {"images": painted, "losses": torch.tensor([losses[name] for name in sorted(losses)])}
    for part in networks.parts:
        states = part.optimizer.state_dict()["state"]
        found[f"gradient of the {part.name}"] = torch.cat(
            [states[key]["exp_avg"].flatten() for key in sorted(states)]
        )
    return {name: value.detach().double().cpu() for name, value in found.items()}


def parity(job: Job) -> None:
    """Compare a forward pass and a training step with the CPU's: the norm of the difference, relative."""
    side = 64 if job.tiny else 256
    plain = copy.deepcopy(people(job, side, 4, device="cpu").to_json())
    plain["generator"]["dropout"] = 0  # its random numbers are those of the device
    reference = one_step(inpainting_spec(parse_spec(plain), "parity"), one_batch(people(job, side, 4)))
    for name, precision, tf32 in (
        ("float32", "no", False), ("float32, TF32", "no", True), ("bf16", "bf16", True)
    ):  # fmt: skip
        plain["training"] |= {"device": "auto", "precision": precision}
        with cuda_arithmetic(pick_device(), tf32=tf32, benchmark=False):
            found = one_step(inpainting_spec(parse_spec(plain), "parity"), one_batch(people(job, side, 4)))
        off = {key: float((found[key] - value).norm() / value.norm()) for key, value in reference.items()}
        job.note("parity", precision=name, **{key: f"{value:.1e}" for key, value in off.items()})


def flops_of(step: Callable[[], object]) -> float:
    """Return the floating-point operations of a call."""
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    return float(counter.get_total_flops())


def peer_step(job: Job, side: int, batch: int) -> Callable[[], object]:
    """Return a step of pytorch-CycleGAN-and-pix2pix on random images."""
    peer = Peer(str(job.peer), job.output / "peer", side, batch, tiny=job.tiny)
    images = [torch.rand(batch, 3, side, side) for _ in range(2)]
    if torch.cuda.is_available():
        images = [image.pin_memory() for image in images]
    return lambda: peer.step({"A": images[0], "B": images[1], "A_paths": []})


def step_of(spec: Spec) -> Callable[[], object]:
    """Return a training step of a spec on one batch from memory."""
    networks, images = Networks(spec, make_accelerator(spec.training)), one_batch(spec)
    return lambda: networks.train_step([images], 1)


def steps(job: Job) -> None:
    """Time a training step on one batch from memory, beside the peer's, and profile it."""
    side = 128 if job.tiny else 256
    for batch in (1, 2) if job.tiny else (1, 8, 32):
        count = 2 if job.tiny else 40
        if job.peer:
            seconds = throughput_after(peer_step(job, side, batch), count)
            job.note("step of the peer", side=side, batch=batch, ms=round(1e3 * seconds, 2))
        for name, options in WAYS.items():
            if not (job.tiny and options):
                time_step(job, people(job, side, batch, **options), name, count)


def compiled(job: Job) -> None:
    """Time compiled training steps, which take minutes to compile."""
    for batch in (2,) if job.tiny else (32, 1):
        if job.left() > 60:
            spec = people(job, 256, batch, precision="auto", compile=True)
            time_step(job, spec, "bf16 compiled", 2 if job.tiny else 40)


def time_step(job: Job, spec: Spec, name: str, count: int) -> None:
    """Time and profile a training step on one batch from memory, and count its operations."""
    with cuda_arithmetic(pick_device(), tf32=spec.training.tf32, benchmark=spec.training.cudnn_benchmark):
        step = step_of(spec)
        row: Row = {}
        if not spec.training.compile:  # a compiled step cannot be counted
            row["gigaflops"] = round(flops_of(step) / 1e9)
        seconds = throughput_after(step, count)
        if row:
            row["teraflops_per_second"] = round(row["gigaflops"] / seconds / 1e3, 2)
        side, batch = spec.data.size[0], spec.training.batch_size
        job.note("step", side=side, batch=batch, way=name, ms=round(1e3 * seconds, 2), **row)
        profile(job, step, f"profile_{batch}_{'_'.join(name.split())}.txt")


WAYS: dict[str, dict[str, Any]] = {
    "as by default": {},
    "float32 throughout": {"tf32": False},
    "without cudnn_benchmark": {"cudnn_benchmark": False},
    "with ema": {"ema": 0.999},
    "bf16": {"precision": "bf16"},
}
"""Settings of training that change its pace."""


def throughput_after(step: Callable[[], object], count: int) -> float:
    """Return the mean seconds of a call, after a few that warm up."""
    throughput(step, max(2, count // 4))
    return throughput(step, count)


def profile(job: Job, step: Callable[[], object], name: str) -> None:
    """Write where the time of a step goes."""
    kinds = [torch.profiler.ProfilerActivity.CPU]
    if torch.cuda.is_available():
        kinds.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=kinds) as found:
        for _ in range(3):
            step()
        synchronize()
    key = "self_device_time_total" if torch.accelerator.is_available() else "self_cpu_time_total"
    table = found.key_averages().table(sort_by=key, row_limit=40, max_name_column_width=70)
    table += "\n" + found.key_averages().table(
        sort_by="self_cpu_time_total", row_limit=30, max_name_column_width=70
    )
    (job.output / name).write_text(table, encoding="utf-8")


def photos(job: Job, size: tuple[int, int], **dataset: Any) -> dict[str, Any]:
    """Return the ``data`` of a spec that reads the photos."""
    crop = {"aspect": size[0] // size[1], "margin": 0.05}
    return {
        "dataset": {"type": "photos", "root": job.photos, "segmenter": "deepfashion",
                    "pose_encoder": "openpose", "prepare": {"margin": 3, "crop": crop}, **dataset},
        "size": list(size), "inputs": ["apparel_head_foot", "line", "segmentation_skin"],
        "on_corrupt": "skip",
    }  # fmt: skip


def loading(job: Job) -> None:
    """Measure how many samples per second come from the disk, by dataloader workers."""
    for size in ((64, 64),) if job.tiny else ((512, 512),):
        spec = people(job, 64, 8).to_json()
        spec["data"] = photos(job, size)
        ready = inpainting_spec(parse_spec(spec), "loading")
        dataset = build_dataset(ready)
        names = list(dataset.names())[:32] if job.tiny else list(dataset.names())
        for num_workers in (0, 1) if job.tiny else (0, 4, 14):
            order = ShuffledOrder(len(names), 0)
            loader = Loader(
                dataset, names, batch_size=8, num_workers=num_workers, order=order, skip_corrupt=True
            )
            iterator = iter(loader)
            next(iterator)  # the workers have started
            began, count = time.perf_counter(), 0
            for batch in iterator:
                count += len(batch.names)
                if time.perf_counter() - began > 6:
                    break
            rate = count / (time.perf_counter() - began)
            job.note("loading", size=list(size), num_workers=num_workers, samples_per_second=round(rate, 1))
            del iterator, loader


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


def trainings(job: Job) -> None:
    """Train the report's spec and the recommended one."""
    num_workers = 0 if job.tiny else min(14, os.cpu_count() or 1)
    report = json.loads((ROOT / "examples" / "report.json").read_text("utf-8"))
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
    best = json.loads((ROOT / "examples" / "photos.json").read_text("utf-8"))
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
