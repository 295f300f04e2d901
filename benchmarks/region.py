"""How well a generator with alpha finds skin under garments, compared with limbs drawn along the pose.

Per test sample of a run: intersection over union with the true skin, and PSNR of the colors on the pixels
that both the generator and the truth call skin. ``--picture`` shows some samples: what the network sees, its
image, its alpha, the limbs and the truth.

    python benchmarks/region.py runs/region --picture region.png
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from skinfw.assembly.assemble import build_baselines, build_dataset
from skinfw.components.field_names import APPAREL, BODY, MASK, SKIN
from skinfw.components.registry import TRAINED
from skinfw.evaluation.examples import inpaint_named
from skinfw.inference.composite import to_uint8
from skinfw.inference.paint import InpaintedBatch
from skinfw.interfaces import Generator
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import run_checkpoint
from skinfw.runs.split_record import split_of_run
from skinfw.runs.trained import open_trained
from skinfw.specs.spec import inpainting_spec


def measured(painted: InpaintedBatch) -> tuple[float, float]:
    """Return the overlap with the true skin within the mask, and the PSNR where both are skin, in dB."""
    batch, (image, alpha) = painted.batch, painted.tensors()
    if alpha is None:
        raise SystemExit("the generator gives no alpha")
    inside = batch[MASK].cpu() > 0.5
    found, true = (alpha > 0.5) & inside, (batch[SKIN].cpu() > 0.5) & inside
    both, either = int((found & true).sum()), int((found | true).sum())
    errors = (image - batch[BODY].cpu()).square().mean(dim=1, keepdim=True)[found & true]
    psnr = -10 * math.log10(max(float(errors.mean()), 1e-10)) if both else math.nan
    return (both / either if either else 1.0), psnr


def shown(trained: InpaintedBatch, limbs: InpaintedBatch) -> Any:
    """Return a row of images."""
    batch = trained.batch
    gray = [np.repeat(each.alpha[0], 3, axis=-1) for each in (trained, limbs) if each.alpha is not None]
    skin = to_uint8(batch.show(SKIN))[0]
    images = [to_uint8(batch[APPAREL])[0], to_uint8(batch.show(MASK))[0], trained.images[0], gray[0], gray[1]]
    return np.concatenate([*images, skin, to_uint8(batch[BODY])[0]], axis=1)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--checkpoint", choices=["best", "last"], default="best")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    run = open_trained(arguments.run, arguments.checkpoint)
    checkpoint = run_checkpoint(run, arguments.checkpoint)
    spec, device = inpainting_spec(checkpoint.spec, checkpoint.path), torch.device("cpu")
    names = split_of_run(run, build_dataset(spec)).test
    generators: dict[str, Generator[Any]] = {TRAINED: load_generator(checkpoint, device)}
    generators |= build_baselines(spec)
    results = {
        name: [*inpaint_named(each, spec, build_dataset(spec, each.io.inputs), names, device)]
        for name, each in generators.items()
    }
    print(f"{len(names)} test samples\n| method | overlap (IoU) | PSNR where both are skin |\n|---|---|---|")
    for name, painted in results.items():
        overlaps, psnrs = zip(*map(measured, painted), strict=True)
        print(f"| {name} | {np.mean(overlaps):.3f} | {np.nanmean(psnrs):.1f} dB |")
    if arguments.picture is not None and "limbs" in results:
        pairs = list(zip(results[TRAINED], results["limbs"], strict=True))[:8]
        rows = np.concatenate([shown(*pair) for pair in pairs], axis=0)
        Image.fromarray(rows).resize((rows.shape[1] * 2, rows.shape[0] * 2), 0).save(arguments.picture)


if __name__ == "__main__":
    main()
