"""What the training loop costs over a hand-written bare loop of the same operations.

Both train the same tiny networks on the same batches, in turn, several times on one thread; the ratios of
their CPU times are printed. Run it on an idle machine: python benchmarks/loop_overhead.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from skinfw.assembly.assemble import build_dataset, build_discriminator, build_generator
from skinfw.data.batch import Batch
from skinfw.data.loading import Loader, ShuffledOrder
from skinfw.data.split import split_names
from skinfw.hooks.caller import HookCaller
from skinfw.runs.create import create_run
from skinfw.runs.split_record import write_split
from skinfw.specs.spec import Spec, inpainting_spec, parse_spec
from skinfw.tasks.choice import make_training_module
from skinfw.training.accelerator import make_accelerator
from skinfw.training.ranks import Ranks
from skinfw.training.trainer import Trainer


def make_spec(steps: int) -> Spec:
    """Return the fixed tiny job."""
    spec = parse_spec(
        {
            "name": "overhead",
            "data": {
                "dataset": {"type": "mannequins", "count": 200},
                "size": [64, 64],
                "inputs": ["apparel_head_foot", "line"],
                "validation_fraction": 0,
            },
            "generator": {"type": "pix2pix", "base_channels": 16},
            "discriminator": {"type": "patchgan", "patch": 16, "base_channels": 16},
            "losses": [{"type": "l1", "weight": 100}, {"type": "gan", "weight": 1}],
            "baselines": [],
            "training": {"steps": steps, "batch_size": 8, "device": "cpu"},
        }
    )
    return inpainting_spec(spec, "overhead")


def bare_step(spec: Spec) -> Callable[[Batch], float]:
    """Return a training step without the engine, which returns the generator's weighted loss."""
    torch.manual_seed(spec.seed)
    generator = build_generator(spec)  # transposed convolutions are slower in channels_last
    discriminator = build_discriminator(spec)
    assert discriminator is not None
    discriminator.to(memory_format=torch.channels_last)
    training = spec.training
    optimizer = torch.optim.Adam(generator.parameters(), training.generator_lr, training.betas, fused=True)
    judge_optimizer = torch.optim.Adam(
        discriminator.parameters(), training.discriminator_lr, training.betas, fused=True
    )

    def step(batch: Batch) -> float:
        condition = batch.condition(spec.data.input_names)
        output = generator(condition)
        discriminator.requires_grad_(True)
        (real,) = discriminator(batch["body"], condition).logits
        (fake,) = discriminator(output.detach(), condition).logits
        judged = (
            binary_cross_entropy_with_logits(real, torch.ones_like(real))
            + binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
        ) / 2
        torch.autograd.backward(judged)
        judge_optimizer.step()
        judge_optimizer.zero_grad()
        discriminator.requires_grad_(False)
        (logits,) = discriminator(output, condition).logits
        loss = 100 * l1_loss(output, batch["body"]) + binary_cross_entropy_with_logits(
            logits, torch.ones_like(logits)
        )
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


def bare_loop(spec: Spec) -> float:
    """Train without the engine; return the CPU seconds."""
    dataset = build_dataset(spec)
    names = split_names(dataset.names(), spec.data.test_fraction, 0).train
    train = bare_step(spec)
    order = ShuffledOrder(len(names), spec.seed)
    loader = Loader(dataset, names, batch_size=spec.training.batch_size, order=order)
    began, step, epoch = time.process_time(), 0, 0
    while step < (spec.training.steps or 0):
        order.start(epoch, 0)
        epoch += 1
        for batch in loader:
            train(batch)
            step += 1
            if step == spec.training.steps:
                break
    return time.process_time() - began


def engine_loop(spec: Spec) -> float:
    """Train with the engine, without its evaluation; return the CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = build_dataset(spec)
        run = create_run(spec, Path(folder, "run"))
        split = split_names(dataset.names(), spec.data.test_fraction, 0)
        accelerator = make_accelerator(spec.training)
        write_split(run, split)
        hooks, ranks = HookCaller(discover=False), Ranks(accelerator)
        module = make_training_module(spec, dataset, accelerator)
        trainer = Trainer(run, dataset, split, module, hooks, ranks)
        began = time.process_time()
        trainer.fit()
        return time.process_time() - began


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    # waiting threads would count as work
    torch.set_num_threads(1)
    spec = make_spec(arguments.steps)
    warm = make_spec(10)
    bare_loop(warm)
    engine_loop(warm)
    bare_times, engine_times = [], []
    for _ in range(arguments.rounds):
        bare_times.append(bare_loop(spec))
        engine_times.append(engine_loop(spec))
        print(f"bare {bare_times[-1]:.2f} s, engine {engine_times[-1]:.2f} s")
    ratios = [engine / bare for bare, engine in zip(bare_times, engine_times, strict=True)]
    print(f"ratio of the quickest rounds: {min(engine_times) / min(bare_times):.3f}")
    print(f"median of the rounds' ratios: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
