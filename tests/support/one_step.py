"""Take one step of training on eight drawn people, in one process or in several, and write its result."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from skinfw.assembly.assemble import build_training_dataset
from skinfw.data.batch import collate
from skinfw.specs.spec import parse_spec
from skinfw.system.json_file import read_json
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.accelerator import make_accelerator


def write(path: Path) -> None:
    """Write losses, gradients and averaged weights of a spec's first step to ``PATH.N.pt``, for N processes.

    Every process takes its own samples, in as many micro-batches as the spec says.
    """
    spec = parse_spec(read_json(path))
    accelerator = make_accelerator(spec.training)
    dataset = build_training_dataset(spec)
    batch = collate([dataset.load(name) for name in dataset.names()[:8]])
    for index in range(8):
        batch["segmentation_skin"][index, :, : 4 * index] = 0
    batch["segmentation_skin"][6] = 0
    networks = Networks(spec, accelerator)
    parts = accelerator.num_processes * spec.training.gradient_accumulation
    places = torch.arange(8).split(8 // parts)[accelerator.process_index :: accelerator.num_processes]
    values = networks.train_step([batch.take(each) for each in places], 1)
    states = {part.name: part.optimizer.state_dict()["state"] for part in networks.parts}
    gradients = {
        name: torch.cat([state[key]["exp_avg"].flatten() for key in sorted(state)])
        for name, state in states.items()
    }
    average = torch.cat([value.flatten() for value in networks.for_inference.parameters()])
    averages = accelerator.gather(average[None])
    if accelerator.is_main_process:
        found = {"values": dict(values), "gradients": gradients, "averages": averages}
        torch.save(found, f"{path}.{accelerator.num_processes}.pt")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        write(Path(argument))
