"""Random but realistic batches as inputs for the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from skinfw.assembly.build import build
from skinfw.components.config import InputConfig, Size
from skinfw.components.field_names import APPAREL, FACE, HEATMAPS, LINE, MASK, SKIN, LineStyle
from skinfw.components.reference import use
from skinfw.components.regions import RegionName
from skinfw.components.registry import installed
from skinfw.data.batch import Batch, collate
from skinfw.data.dataset_io import to_sample
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.parts import PersonParts, make_agnostic
from skinfw.data.segmentation import Segmentation
from skinfw.data.skeleton import draw_resized_pose
from skinfw.interfaces import DatasetIO, DiscriminatorOutput, GeneratorIO, Input, LossContext
from skinfw.interfaces.loss import Discriminate

EXAMPLE_NAMES = ("anna", "ben")
"""Names of the samples in the batches of the checks."""


def example_image(batch: int, size: Size, seed: int = 0, channels: int = 3) -> Tensor:
    """Return random images, float32 ``(B, channels, H, W)`` in [0, 1]."""
    return torch.rand(batch, channels, *size, generator=torch.Generator().manual_seed(seed))


def example_region(batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random masks, float32 ``(B, 1, H, W)`` in {0, 1}, about a third of them 1."""
    values = torch.rand(batch, 1, *size, generator=torch.Generator().manual_seed(seed))
    return (values > 2 / 3).float()


def example_condition(inputs: Sequence[str], batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random inputs stacked along the channels, float32 ``(B, C, H, W)`` in [0, 1].

    Args:
        inputs: their names; masks are black and white.
        batch: number of samples.
        size: height and width in pixels.
        seed: seed of the images.
    """
    images = []
    for index, name in enumerate(inputs):
        config = _input_config(name)
        mask = example_region(batch, size, seed + index).expand(-1, 3, -1, -1)
        images.append(mask if config.is_mask else example_image(batch, size, seed + index, config.channels))
    return torch.cat(images, dim=1)


def example_generator_io(size: Size, inputs: Sequence[str]) -> GeneratorIO:
    """Return the ``io`` of a generator.

    Args:
        size: height and width in pixels.
        inputs: names of the inputs, in the order of their channels.
    """
    return GeneratorIO(size, {name: _input_config(name).channels for name in inputs})


def example_dataset_io(
    size: Size, inputs: Sequence[str], *, needs_keypoints: bool = False, mask_margin: int = 0
) -> DatasetIO:
    """Return the ``io`` of a data set.

    Args:
        size: height and width in pixels.
        inputs: names of the inputs that each sample must have.
        needs_keypoints: whether every sample must have keypoints.
        mask_margin: pixels around the skin that may be inpainted in samples without a mask.
    """
    built = {name: build(use("input", name), Input) for name in inputs}
    return DatasetIO(size, built, needs_keypoints=needs_keypoints, mask_margin=mask_margin)


def example_context(
    output: Tensor,
    target: Tensor | None = None,
    *,
    discriminate: Discriminate | None = None,
    region_count: Tensor | None = None,
    alpha: Tensor | None = None,
    **fields: Tensor,
) -> LossContext:
    """Return the context of a loss, with random fields for all installed inputs.

    Args:
        output: the generator's images, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        target: the ground truth; None for random images.
        discriminate: the discriminator; None for one that must not be called.
        region_count: see `skinfw.interfaces.LossContext`.
        alpha: the alpha of the generator's images, float32 ``(B, 1, H, W)`` in [0, 1]; None for none.
        **fields: fields that replace random ones, for instance ``segmentation_skin``.
    """
    size = (output.shape[2], output.shape[3])
    drawn = {}
    for index, name in enumerate(installed().names("input")):
        config = _input_config(name)
        mask = example_region(len(output), size, index)
        drawn[name] = mask if config.is_mask else example_image(len(output), size, index, config.channels)
    true = example_image(len(output), size, seed=1) if target is None else target
    return LossContext(output, true, {**drawn, **fields}, discriminate or _reject, region_count, alpha)


def _input_config(name: str) -> InputConfig:
    config = use("input", name).config
    if not isinstance(config, InputConfig):
        raise TypeError(f"the configuration of the input {name!r} is not an InputConfig")
    return config


def _reject(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
    raise AssertionError("the loss calls the discriminator, but its configuration does not say so")


def example_parts(size: Size, seed: int = 0, style: LineStyle = "skeleton") -> PersonParts:
    """Return a person as `skinfw.data.parts.make_agnostic` returns it for a photo.

    It has a head with a face in the middle, a trunk, and two arms of skin on white; the colors are random,
    and the position varies by a few pixels.

    Args:
        size: height and width in pixels, at least 16 each.
        seed: seed of the person.
        style: the style of the pose map.
    """
    height, width = size
    random = np.random.default_rng(seed)
    middle = width / 2 + (random.random() - 0.5) * width / 8
    labels = np.zeros(size, np.uint8)
    for label, top, bottom, left, right in (
        (3, 0.1, 0.3, -0.1, 0.1),
        (4, 0.15, 0.25, -0.06, 0.06),
        (2, 0.3, 0.8, -0.2, 0.2),
        (1, 0.35, 0.7, -0.3, -0.2),
        (1, 0.35, 0.7, 0.2, 0.3),
    ):
        columns = slice(round(middle + left * width), round(middle + right * width))
        labels[round(top * height) : round(bottom * height), columns] = label
    points = np.zeros((len(BODY_25), 3), np.float32)
    for name, across, down in (
        ("Nose", 0.0, 0.2), ("Neck", 0.0, 0.3), ("MidHip", 0.0, 0.8), ("RShoulder", -0.2, 0.35),
        ("RElbow", -0.25, 0.5), ("RWrist", -0.25, 0.65), ("LShoulder", 0.2, 0.35),
    ):  # fmt: skip
        points[BODY_25.index(name)] = (middle + across * width - 0.5, down * height - 0.5, 0.9)
    photo = random.integers(25, 205, (height, width, 3), np.uint8)
    parts = make_agnostic(photo, Segmentation(labels, _CLASSES, _REGIONS), margin=0)
    pose = Keypoints(points)
    return replace(
        parts, line=draw_resized_pose(pose, size, style), pose=pose, style=style, where=f"person {seed}"
    )


_CLASSES = ("background", "skin", "clothes", "head", "face")
_REGIONS: Mapping[RegionName, tuple[str, ...]] = {
    "background": ("background",),
    "skin": ("skin",),
    "apparel": ("clothes",),
    "head": ("head", "face"),
}


def example_batch(batch: int, size: Size, seed: int = 0) -> Batch:
    """Return consistent samples, as from a data set, with the built-in inputs and keypoints.

    Every other ``line`` has plain lines.

    Args:
        batch: number of samples.
        size: height and width in pixels, at least 16 each.
        seed: seed of the samples.
    """
    names = (APPAREL, LINE, SKIN, MASK, FACE, HEATMAPS)
    io = example_dataset_io(size, names, needs_keypoints=True)
    styles: tuple[LineStyle, LineStyle] = ("skeleton", "lines")
    return collate(
        [
            to_sample(f"example-{index}", example_parts(size, seed * batch + index, styles[index % 2]), io)
            for index in range(batch)
        ]
    )
