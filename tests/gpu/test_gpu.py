"""On an accelerator: the same results as on the CPU, and runs from end to end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import skinfw
from skinfw.assembly.assemble import (
    build_dataset,
    build_discriminator,
    build_generator,
    build_training_dataset,
)
from skinfw.components.registry import installed
from skinfw.data.batch import Batch, collate
from skinfw.data.loading import Loader
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.specs.run_spec import LoopSpec
from skinfw.specs.spec import inpainting_spec, parse_spec
from skinfw.system.devices import cuda_arithmetic, pick_device
from skinfw.system.peak_memory import PeakMemory
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.accelerator import make_accelerator
from skinfw.training.optimized import OptimizedModule
from skinfw.training.step_losses import LossCheck

MakeSpec = Callable[..., dict[str, Any]]

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.accelerator.is_available(), reason="needs a GPU"),
]

SMALL: dict[str, dict[str, Any]] = {
    "two_stage": {"coarse": "mean_color", "refiner": {"type": "pix2pix", "base_channels": 4}},
    "smp_unet": {"encoder": "tu-mobilenetv3_small_100"},
}

INPUTS = ["apparel_head_foot", "segmentation_skin", "mask", "face"]
"""All that any of the generators requires."""


@pytest.fixture
def float32_products() -> Iterator[None]:
    """Do not round products to TF32."""
    with cuda_arithmetic(pick_device(), tf32=False, benchmark=False):
        yield


def cuda_flags() -> tuple[bool, bool, bool]:
    """Return what training sets for its time."""
    cudnn = torch.backends.cudnn
    return torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark


@pytest.mark.usefixtures("float32_products")
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in installed().names("generator")
        if installed().config_class("generator", name).trainable
    ],
)
def test_generators_paint_as_on_the_cpu(tiny_spec: MakeSpec, name: str) -> None:
    value = tiny_spec(generator={"type": name, **SMALL.get(name, {})})
    value["data"] |= {"size": [64, 64], "inputs": INPUTS}
    spec = inpainting_spec(parse_spec(value), name)
    dataset = build_dataset(spec)
    batch = collate([dataset.load(name) for name in list(dataset.names())[:2]])
    torch.manual_seed(0)
    network = build_generator(spec).eval()
    shape = network.noise_shape(batch.size)
    noise = torch.randn(2, *shape) if shape else None
    images = []
    for device in (torch.device("cpu"), pick_device()):
        moved = batch.to(device, torch.channels_last)
        with torch.no_grad():
            output = network.to(device)(moved.condition(INPUTS), None if noise is None else noise.to(device))
        images.append(output.cpu())
    torch.testing.assert_close(images[1], images[0], rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("float32_products")
@pytest.mark.parametrize("patch", [1, 16, 34])
def test_discriminators_judge_as_on_the_cpu(tiny_spec: MakeSpec, patch: int) -> None:
    value = tiny_spec(discriminator={"type": "patchgan", "patch": patch, "base_channels": 8})
    value["data"]["size"] = [64, 64]
    network = build_discriminator(inpainting_spec(parse_spec(value), "judge"))
    assert network is not None
    image, condition = torch.rand(2, 3, 64, 64), torch.rand(2, network.io.condition_channels, 64, 64)
    found = []
    for device in (torch.device("cpu"), pick_device()):
        with torch.no_grad():
            (logits,) = network.eval().to(device)(image.to(device), condition.to(device)).logits
        found.append(logits.cpu())
    torch.testing.assert_close(found[1], found[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", ["auto", "no", "bf16", "fp16"])
def test_a_run_from_end_to_end(tiny_spec: MakeSpec, tmp_path: Path, precision: str) -> None:
    before = cuda_flags()
    value = tiny_spec(metrics=["psnr", "ssim", "ciede2000", "seam"])
    value["training"] |= {"device": "auto", "precision": precision, "ema": 0.9, "schedule": "cosine"}
    run = skinfw.run(parse_spec(value), output=tmp_path / "run")
    assert cuda_flags() == before
    used = json.loads(run.environment_path.read_text(encoding="utf-8"))["training"]
    assert used["device"].partition(" ")[0] == pick_device().type
    assert used["precision"] in {"auto": ("bf16", "float32"), "no": ("float32",)}.get(precision, (precision,))
    written = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))
    values = written["test"]["values"]["trained"]
    assert values and all(math.isfinite(value) for value in values.values() if value is not None)
    tensors = read_checkpoint(run.checkpoint("best")).tensors
    assert {tensor.device.type for tensor in tensors.values()} == {"cpu"}


def test_runs_on_one_device_after_the_other(tiny_spec: MakeSpec, tmp_path: Path) -> None:
    for number, device in enumerate(("cpu", "auto", "cpu")):
        value = tiny_spec()
        value["training"] |= {"device": device, "epochs": 1}
        skinfw.run(parse_spec(value), output=tmp_path / str(number))


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Let torch raise an error where the CPU waits for the GPU."""
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.fixture(params=["no", "bf16"])
def warm(tiny_spec: MakeSpec, request: pytest.FixtureRequest) -> tuple[Networks, Batch]:
    """Networks after some steps, in which libraries set themselves up, and a batch in page-locked memory."""
    value = tiny_spec(losses=[*({"type": name, "region": "skin"} for name in ("l1", "psnr", "ssim")), "gan"])
    value["training"] |= {"device": "auto", "precision": request.param, "ema": 0.9, "gradient_clip": 1.0}
    spec = inpainting_spec(parse_spec(value), "warm")
    dataset = build_training_dataset(spec)
    batch = collate([dataset.load(name) for name in list(dataset.names())[:4]]).pin_memory()
    networks = Networks(spec, make_accelerator(spec.training))
    for step in (1, 2, 3):
        networks.train_step([batch], step)
    return networks, batch


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU whose waiting torch can report")
def test_a_step_does_not_wait_for_the_gpu(warm: tuple[Networks, Batch], no_waiting: None) -> None:
    networks, batch = warm
    check = LossCheck()
    losses = networks.train_step([batch], 4)
    check.add(4, losses)
    torch.cuda.set_sync_debug_mode("default")
    check.check(str)
    assert set(losses) == {"l1", "psnr", "ssim", "gan", "discriminator/gan"}
    assert all(math.isfinite(value) for value in losses.values())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch compiles for")
def test_a_compiled_network_takes_the_step_of_the_plain_one() -> None:
    states = []
    for compile in (False, True):
        training = LoopSpec(steps=1, compile=compile)
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Tanh())
        part = OptimizedModule("tiny", network, 0.1, training, make_accelerator(training))
        part.backward(part.prepared(torch.tensor([[0.25, -2.0]], device=pick_device())).sum())
        part.descend()
        states.append(part.state())
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that page-locked memory helps")
def test_batches_are_pinned(tiny_spec: MakeSpec) -> None:
    dataset = build_dataset(inpainting_spec(parse_spec(tiny_spec()), "pinned"))
    batch = next(iter(Loader(dataset, list(dataset.names())[:2], batch_size=2)))
    assert {"body", "keep", "mask", "line"} <= batch.fields.keys()
    assert all(tensor.is_pinned() for tensor in batch.fields.values())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU whose memory torch counts")
def test_the_memory_of_a_gpu_counts_at_its_peak() -> None:
    kept = torch.ones(10 * 2**20, device="cuda")
    for _ in range(2):
        with PeakMemory(kept.device) as memory:
            held = torch.ones(25 * 2**20, device="cuda")
            del held
        assert memory.grown == 100 * 2**20
