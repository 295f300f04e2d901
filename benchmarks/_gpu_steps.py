"""Training steps on a GPU: parity with the CPU, pace beside another system, and where the time goes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from _gpu_job import Job, Row, synchronize, throughput_after
from _pix2pix import Peer, one_batch, pix2pix
from skinfw.data.batch import Batch
from skinfw.specs.spec import Spec, inpainting_spec, parse_spec
from skinfw.system.devices import cuda_arithmetic, pick_device
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.accelerator import make_accelerator

WAYS: dict[str, dict[str, Any]] = {
    "as by default": {},
    "float32 throughout": {"tf32": False},
    "without cudnn_benchmark": {"cudnn_benchmark": False},
    "with ema": {"ema": 0.999},
    "bf16": {"precision": "bf16"},
}
"""Settings of training that change its pace."""


def people(job: Job, side: int, batch: int, **training: Any) -> Spec:
    """Return pix2pix as published, on drawn people."""
    return pix2pix({"type": "mannequins", "count": 40}, side, batch, tiny=job.tiny, **training)


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


def flops_of(step: Callable[[], object]) -> float:
    """Return the floating-point operations of a call."""
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    return float(counter.get_total_flops())


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
