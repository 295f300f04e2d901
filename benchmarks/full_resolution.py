"""Measures each step from the network's small image to the photo's resolution, with the truth known.

    python benchmarks/full_resolution.py RUN PHOTOS [--count 40] [--segmenter NAME|JSON] [--pose-encoder ...]

The true skin of unseen photos is painted again: all of it (``all``), or the ``lower`` or ``upper`` half of
every patch of skin, so that visible skin is beside the painted one. Each row adds one step to the rows before
it. Then follow, with all steps, the bias of the lightness by fifths of the true one, and by skin tone the
lead in skin PSNR over one color, the face's median.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from skinfw.cli.components import component_option
from skinfw.data.face import face_classes
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask
from skinfw.errors import DataError
from skinfw.evaluation.results import SkinTone
from skinfw.evaluation.skin_tone import median_lab, skin_tones
from skinfw.evaluation.tone_groups import Scheme, groups, image_groups
from skinfw.inference.inpainter import Inpainter
from skinfw.preparation.source import photos_below
from skinfw.runtime.full_resolution import Steps
from skinfw_plugins.metrics.detail import detail_ratio, highest_octave
from skinfw_plugins.metrics.seam import border_band

NOTHING = Steps(weighted=False, matched=False, smoothed=False, texture=False, feather=False)
ROWS = {
    "bicubic": NOTHING,
    "weighted": replace(NOTHING, weighted=True),
    "matched": replace(NOTHING, weighted=True, matched=True),
    "smoothed": replace(NOTHING, weighted=True, matched=True, smoothed=True),
    "feather": replace(Steps(), texture=False),
    "texture": Steps(),
}


def masks(skin: Mask) -> Iterator[tuple[str, Mask]]:
    """Yield the masks to paint: all skin, and the lower and the upper half of each of its patches."""
    yield "all", skin
    lower = np.zeros_like(skin)
    count, patches, stats, _ = cv2.connectedComponentsWithStats(skin.astype(np.uint8), connectivity=8)
    for index in range(1, count):
        middle = stats[index, cv2.CC_STAT_TOP] + stats[index, cv2.CC_STAT_HEIGHT] // 2
        patch = patches == index
        patch[:middle] = False
        lower |= patch
    yield "lower", lower
    yield "upper", skin & ~lower


WINDOW = 9
"""Side in pixels of the windows in which the grain is measured, and of the square that must be all skin."""


def grain_ratio(output: torch.Tensor, target: torch.Tensor, mask: Mask) -> float:
    """Return the ratio behind ``detail`` for plain skin: of medians over windows, away from the border.

    The mean that ``detail`` compares is that of a few strong edges, such as fingers. NaN without such skin.
    """
    inner = cv2.erode(mask.astype(np.float32), np.ones((WINDOW, WINDOW)))
    if not inner.any():
        return float("nan")
    region = torch.from_numpy(mask)[None, None].float()
    pixels = cv2.blur(inner, (WINDOW, WINDOW))[inner > 0]
    energies = ((highest_octave(image, region) ** 2).mean(1)[0].numpy() for image in (output, target))
    made, true = (
        float(np.median(cv2.blur(energy * inner, (WINDOW, WINDOW))[inner > 0] / pixels))
        for energy in energies
    )
    return made / true


@dataclass(frozen=True)
class ByTone:
    """What depends on the skin tone: of each painted photo its tone, its bias and its lead."""

    tones: list[SkinTone | None] = field(default_factory=list)
    bias: list[float] = field(default_factory=list)
    lead: list[float] = field(default_factory=list)

    def add(self, true: np.ndarray, made: np.ndarray, mask: Mask, skin: Mask, face: Mask) -> None:
        """Add a photo, if its face is visible."""
        if not face.any():
            return
        self.tones.extend(skin_tones(pixels(true), torch.from_numpy(skin)[None, None]))
        light = [median_lab(torch.from_numpy(image[mask].T / np.float32(255)))[0] for image in (made, true)]
        self.bias.append(light[0] - light[1])
        flat = np.median(true[face], axis=0)
        errors = [float(((true[mask] - colors) ** 2.0).mean()) for colors in (flat, made[mask].astype(float))]
        self.lead.append(10 * float(np.log10(errors[0] / errors[1])))

    def line(self, scheme: Scheme, values: list[float]) -> str:
        """Return the mean of values in each group of skin tones, with the number of photos."""
        members = image_groups(self.tones, scheme)
        means = {
            name: [value for value, group in zip(values, members, strict=True) if group == name]
            for name in groups(scheme)
        }
        return "  ".join(f"{name} {np.mean(own):+.2f} ({len(own)})" for name, own in means.items() if own)


def pixels(image: np.ndarray) -> torch.Tensor:
    """Return an image as a batch of one, float in [0, 1]."""
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255


def measure(true: np.ndarray, made: np.ndarray, mask: Mask) -> dict[str, float]:
    """Return the error on the mask, the gradients at its border and the fine structure in it."""
    target, output = pixels(true), pixels(made)
    region = torch.from_numpy(mask)[None, None].float()
    inside = region.expand_as(target) > 0
    error = float(((output - target)[inside] ** 2).mean())
    band = border_band(region, 2)

    def gradients(image: torch.Tensor) -> torch.Tensor:
        right = torch.nn.functional.pad(image.diff(dim=-1), (0, 1))
        down = torch.nn.functional.pad(image.diff(dim=-2), (0, 0, 0, 1))
        return (right.abs() + down.abs()) * band

    seam = float(gradients(output).sum() / gradients(target).sum())
    wrong = float(gradients(output - target).sum() / band.sum() / 3)
    detail = float(detail_ratio(output, target, region))
    grain = grain_ratio(output, target, mask)
    return {
        "psnr": -10 * np.log10(error), "seam": wrong, "seam ratio": seam, "detail": detail, "grain": grain,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--segmenter")
    parser.add_argument("--pose-encoder")
    chosen = parser.parse_args()
    inpainter = Inpainter.load(
        chosen.run,
        device="cpu",
        segmenter=component_option("segmenter", chosen.segmenter, "--segmenter")
        if chosen.segmenter
        else None,
        pose_encoder=component_option("pose_encoder", chosen.pose_encoder, "--pose-encoder")
        if chosen.pose_encoder
        else None,
    )
    split = json.loads((chosen.run / "split.json").read_text(encoding="utf-8"))
    seen = {Path(name).as_posix() for part in ("train", "validation") for name in split.get(part, ())}
    paths = [
        path
        for path in photos_below(chosen.photos, inpainter.segmenter.sources)
        if (path.relative_to(chosen.photos).with_suffix("").as_posix() not in seen and "front" in path.stem)
        or chosen.segmenter
    ]
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    textures: dict[str, int] = defaultdict(int)
    by_tone: dict[str, ByTone] = defaultdict(ByTone)
    for path in paths[: chosen.count]:
        photo = Photo.read(path)
        try:
            labels = inpainter.segmenter.segment(photo)
            pose = inpainter.pose_encoder.keypoints(photo, labels.person)
        except DataError as error:
            print(f"skipped: {error}")
            continue
        face = labels.of_classes(*face_classes(labels.classes))
        skin = labels.region("skin") & ~face
        if pose is None or skin.sum() < 400:
            continue
        for name, mask in masks(skin):
            for row, steps in ROWS.items():
                painted = inpainter.paint(path, mask, segmentation=labels, keypoints=pose, steps=steps)
                found[name, row].append(measure(photo.pixels, painted.image, mask))
            textures[f"{name}: {painted.report['texture']}"] += 1
            by_tone[name].add(photo.pixels, painted.image, mask, skin, face)
    print(f"{len(found['all', 'bicubic'])} photos; fine structure: {dict(textures)}")
    for (name, row), values in found.items():
        means = {key: float(np.mean([each[key] for each in values])) for key in values[0]}
        means["detail"] = float(np.exp(np.mean([np.log(each["detail"]) for each in values])))
        means["grain"] = float(np.nanmedian([each["grain"] for each in values]))
        print(name, f"{row:10}", "  ".join(f"{key} {mean:.4f}" for key, mean in means.items()), flush=True)
    for name, each in by_tone.items():
        print(name, "bias, L*:", each.line("fifths", each.bias))
        print(name, "lead, dB:", each.line("ita", each.lead))


if __name__ == "__main__":
    main()
