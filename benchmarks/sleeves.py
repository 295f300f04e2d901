"""Taking the sleeves of drawn people off: skin found and painted, compared with what is truly underneath.

Every person is drawn twice, with long sleeves and with their own short ones; the region is what the long
sleeves cover. People are ones that no data set of fewer than 1,000,000 mannequins with seed 0 contains.

    python benchmarks/sleeves.py runs/region --people 60 --picture sleeves.png
"""

from __future__ import annotations

import argparse
import importlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skinfw.data.face import face_classes
from skinfw.data.keypoints import Keypoints
from skinfw.data.limbs import limbs_of_pose
from skinfw.data.parts import dilate
from skinfw.data.segmentation import Segmentation
from skinfw_plugins.datasets.mannequin import CLASSES
from skinfw_plugins.generators.config import LimbsConfig
from skinfw_plugins.segmenters.deepfashion_classes import REGIONS

drawing: Any = importlib.import_module("skinfw_plugins.datasets.mannequin.drawing")
painting: Any = importlib.import_module("skinfw.inference.inpainter")

SIZE = (384, 192)
FIRST = 1_000_000
_REGIONS = {region: tuple(name for name in names if name in CLASSES) for region, names in REGIONS.items()}


def drawn(seed: int, long_sleeves: bool) -> tuple[Any, Segmentation] | None:
    """Draw a person; None if they wear a jacket or long sleeves anyway."""
    person = drawing.sample_person(seed)
    top = person.outfit.top
    if person.outfit.outer is not None or top.sleeve > 0.45:
        return None
    if long_sleeves:
        loose = replace(top, sleeve=0.93, ease=max(top.ease, 0.03))
        person = replace(person, outfit=replace(person.outfit, top=loose))
    sample = drawing.sample_person
    drawing.sample_person = lambda _: person
    try:
        found = drawing.draw_person(seed, SIZE)
    finally:
        drawing.sample_person = sample
    return found, Segmentation(found.labels, CLASSES, _REGIONS)


def scores(found: Any, image: Any, true: Any, target: Any) -> tuple[float, float]:
    """Return the overlap with the true skin, and the PSNR in dB where both are skin."""
    both, either = found & true, found | true
    errors = (image[both].astype(float) - target[both].astype(float)) / 255
    psnr = -10 * math.log10(max(float(np.square(errors).mean()), 1e-10)) if both.any() else math.nan
    return both.sum() / max(1, either.sum()), psnr


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--checkpoint", choices=["best", "last"], default="best")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    painter = painting.Inpainter.load(arguments.run, checkpoint=arguments.checkpoint, device="cpu")
    caught: list[Any] = []
    bare = painting.bare

    def catching(*args: Any, **options: Any) -> Any:
        caught.append(bare(*args, **options))
        return caught[-1]

    painting.bare = catching
    table: dict[str, list[tuple[float, float]]] = {"trained": [], "limbs": []}
    rows: list[Any] = []
    seed = FIRST
    while len(table["trained"]) < arguments.people:
        seed += 1
        pair = [drawn(seed, long_sleeves) for long_sleeves in (True, False)]
        if pair[0] is None or pair[1] is None:
            continue
        (worn, labels), (short, short_labels) = pair[0], pair[1]
        changed = (worn.image != short.image).any(axis=-1) & (labels.region("apparel"))
        region = dilate(changed & (worn.labels != short.labels), 1) & ~labels.region("head")
        if region.sum() < 300:
            continue
        pose = Keypoints(worn.points)
        painted = painter.paint(worn.image, region=region, segmentation=labels, keypoints=pose)
        inside = painted.mask & region
        true = short_labels.region("skin") & inside
        table["trained"].append(scores(caught[-1].skin, painted.image, true, short.image))
        limbs = limbs_of_pose(pose, SIZE, LimbsConfig().width)
        face = labels.of_classes(*face_classes(labels.classes))
        tone = np.median(worn.image[face], axis=0)
        plain = np.broadcast_to(tone, worn.image.shape)
        found = np.zeros_like(true) if limbs is None else limbs & inside
        table["limbs"].append(scores(found, plain, true, short.image))
        drawn_limbs = np.where(found[..., None], plain, painted.image).astype(np.uint8)
        mask = np.repeat(region[..., None], 3, axis=-1).astype(np.uint8) * 255
        rows.append(np.concatenate([worn.image, mask, painted.image, drawn_limbs, short.image], axis=1))
    print(f"{arguments.people} people\n| method | overlap (IoU) | PSNR where both are skin |\n|---|---|---|")
    for name, values in table.items():
        overlaps, psnrs = zip(*values, strict=True)
        print(f"| {name} | {np.mean(overlaps):.3f} | {np.nanmean(psnrs):.1f} dB |")
    if arguments.picture is not None:
        grid = [np.concatenate(rows[at : at + 2], axis=1) for at in range(0, min(6, len(rows) - 1), 2)]
        Image.fromarray(np.concatenate(grid, axis=0)).save(arguments.picture)


if __name__ == "__main__":
    main()
