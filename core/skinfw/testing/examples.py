"""Random batches that look like the real thing: what the checks feed to components."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.inputs import LineStyle, channels_of
from skinfw.data.batch import Batch, picture_tensor
from skinfw.data.heatmaps import draw_heatmaps
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.sample import APPAREL, FACE, HEATMAPS, LINE, SKIN
from skinfw.data.skeleton import draw_resized_pose


def example_picture(batch: int, size: Size, seed: int = 0, channels: int = 3) -> Tensor:
    """Return random pictures, float32 ``(B, channels, H, W)`` in [0, 1]."""
    return torch.rand(batch, channels, *size, generator=torch.Generator().manual_seed(seed))


def example_region(batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random masks, float32 ``(B, 1, H, W)`` in {0, 1}, about a third of them 1."""
    values = torch.rand(batch, 1, *size, generator=torch.Generator().manual_seed(seed))
    return (values > 2 / 3).float()


def example_condition(inputs: Sequence[str], batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random input pictures side by side, float32 ``(B, C, H, W)`` in [0, 1].

    Args:
        inputs: their names; those that are masks come black and white.
        batch: number of samples.
        size: height and width in pixels.
        seed: another one gives other pictures.
    """
    pictures = [
        example_region(batch, size, seed + index).expand(-1, 3, -1, -1)
        if name in (SKIN, FACE)
        else example_picture(batch, size, seed + index, channels_of(name))
        for index, name in enumerate(inputs)
    ]
    return torch.cat(pictures, dim=1)


def example_batch(batch: int, size: Size, seed: int = 0) -> Batch:
    """Return samples that hold together as those of a data set do, with all inputs and keypoints.

    A head (kept, its middle the face), a trunk (kept) and two arms (skin) stand on white; the colors are
    random, and so is the place, a few pixels from sample to sample. Every other ``line`` is of plain lines.

    Args:
        batch: number of samples.
        size: height and width in pixels, at least 16 each.
        seed: another one gives other samples.
    """
    height, width = size
    generator = torch.Generator().manual_seed(seed)
    kept, skin, face = (torch.zeros(batch, 1, height, width) for _ in range(3))
    points = torch.zeros(batch, len(BODY_25), 3)
    for index in range(batch):
        middle = width / 2 + float(torch.rand((), generator=generator) - 0.5) * width / 8
        for mask, top, bottom, left, right in (
            (kept, 0.1, 0.3, -0.1, 0.1),
            (face, 0.15, 0.25, -0.06, 0.06),
            (kept, 0.3, 0.8, -0.2, 0.2),
            (skin, 0.35, 0.7, -0.3, -0.2),
            (skin, 0.35, 0.7, 0.2, 0.3),
        ):
            columns = slice(round(middle + left * width), round(middle + right * width))
            mask[index, 0, round(top * height) : round(bottom * height), columns] = 1
        for name, across, down in (
            ("Nose", 0.0, 0.2), ("Neck", 0.0, 0.3), ("MidHip", 0.0, 0.8), ("RShoulder", -0.2, 0.35),
            ("RElbow", -0.25, 0.5), ("RWrist", -0.25, 0.65), ("LShoulder", 0.2, 0.35),
        ):  # fmt: skip
            place = [middle + across * width - 0.5, down * height - 0.5, 0.9]
            points[index, BODY_25.index(name)] = torch.tensor(place)
    colors = 0.1 + 0.7 * torch.rand(batch, 3, height, width, generator=generator)
    target = torch.where(kept + skin > 0.5, colors, 1.0)
    poses = [Keypoints(each) for each in points.numpy()]
    styles: list[LineStyle] = ["lines" if index % 2 else "skeleton" for index in range(batch)]
    lines = [draw_resized_pose(pose, size, style) for pose, style in zip(poses, styles, strict=True)]
    return Batch(
        names=[f"example-{index}" for index in range(batch)],
        inputs={
            APPAREL: torch.where(kept > 0.5, target, 1.0),
            LINE: picture_tensor(lines),
            SKIN: skin.repeat(1, 3, 1, 1),
            FACE: face.repeat(1, 3, 1, 1),
            HEATMAPS: picture_tensor([draw_heatmaps(pose, size) for pose in poses]),
        },
        target=target,
        skin=skin,
        kept=kept,
        keypoints=points,
        line_styles=styles,
    )
