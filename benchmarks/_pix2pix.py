"""Pix2pix as published: as a spec of skinfw, and as pytorch-CycleGAN-and-pix2pix trains it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from skinfw.assembly.assemble import build_training_dataset
from skinfw.data.batch import Batch, collate
from skinfw.specs.spec import Spec, inpainting_spec, parse_spec


def pix2pix(dataset: Mapping[str, Any], side: int, batch: int, *, tiny: bool, **training: Any) -> Spec:
    """Return the spec: U-Net of 64 channels, PatchGAN 70, L1 and GAN; on all samples but a few."""
    value = {
        "name": "pix2pix",
        "data": {"dataset": dict(dataset), "size": [side, side], "inputs": ["apparel_head_foot"],
                 "test_fraction": 0.1, "validation_fraction": 0},
        "generator": {"type": "pix2pix", "base_channels": 8 if tiny else 64, "dropout": 0.5},
        "discriminator": {"type": "patchgan", "patch": 34 if tiny else 70},
        "losses": [{"type": "l1", "weight": 100}, "gan"],
        "training": {"steps": 10, "batch_size": batch, "betas": [0.5, 0.999], **training},
    }  # fmt: skip
    return inpainting_spec(parse_spec(value), "pix2pix")


def one_batch(spec: Spec) -> Batch:
    """Return one batch as the loader gives it."""
    dataset = build_training_dataset(spec)
    names = dataset.names()
    samples = [dataset.load(names[place % len(names)]) for place in range(spec.training.batch_size)]
    batch = collate(samples)
    return batch.pin_memory() if torch.cuda.is_available() else batch


class Peer:
    """The other system, from a checkout, with the same networks and the defaults of its ``train.py``.

    Args:
        checkout: the checkout's folder.
        folder: a folder for what it writes, with its images in ``train``, if any.
        side: height and width of the images: 256, or 128.
        batch: images in a batch.
        tiny: use few channels.
    """

    def __init__(self, checkout: str, folder: Path, side: int, batch: int, *, tiny: bool) -> None:
        if checkout not in sys.path:
            sys.path.insert(0, checkout)
        values = {
            "model": "pix2pix", "dataset_mode": "aligned", "dataroot": folder, "checkpoints_dir": folder,
            "netG": f"unet_{side}", "ngf": 8 if tiny else 64, "batch_size": batch, "preprocess": "none",
            "num_threads": 0, "gpu_ids": 0 if torch.cuda.is_available() else -1,
        }  # fmt: skip
        words = ["train.py", "--no_flip", *(f"--{name}={value}" for name, value in values.items())]
        options = import_module("options.train_options")
        with patch.object(sys, "argv", words), redirect_stdout(StringIO()):
            self.options = options.TrainOptions().parse()
            self.model = import_module("models").create_model(self.options)

    def batches(self) -> Iterator[Mapping[str, Any]]:
        """Return batches of its images, again and again."""
        with redirect_stdout(StringIO()):
            dataset = import_module("data").create_dataset(self.options)
        while True:
            yield from dataset

    def step(self, batch: Mapping[str, Any]) -> None:
        """Train on a batch."""
        self.model.set_input(batch)
        self.model.optimize_parameters()
