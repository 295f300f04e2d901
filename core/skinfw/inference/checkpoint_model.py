"""A checkpoint as a painting model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from skinfw.components.config import GeneratorConfig, Size
from skinfw.data.aspect import read_aspects
from skinfw.data.pixel_types import image_tensor
from skinfw.data.segmentation import RgbImage
from skinfw.errors import NotFiniteError
from skinfw.inference.composite import to_uint8
from skinfw.inference.noise import fixed_noise
from skinfw.preparation.config import PersonCrop, PrepareConfig
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runtime.preparation import MAX_ASPECT, MIN_ASPECT, Preparation
from skinfw.specs.spec import Spec, inpainting_spec


class CheckpointModel:
    """Paints with the generator of a checkpoint; see `skinfw.inference.painting_model.PaintingModel`.

    Args:
        checkpoint: the checkpoint of an inpainting run.
        device: where the network runs.

    Raises:
        RunError: the weights do not fit the network in its spec, or the spec is not for inpainting.
        TrustError: the generator names programs, paths or addresses, and the checkpoint is not trusted.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.spec = inpainting_spec(checkpoint.spec, checkpoint.path)
        self.inputs = self.spec.data.input_names
        self.size: Size = self.spec.data.size
        self.multiple = _multiple(self.spec)
        self.preparation = preparation_of(self.spec, checkpoint.about)
        self._device = device
        self._generator = load_generator(checkpoint, device)
        noise = fixed_noise(self._generator, self.size, self.spec.seed)
        self._noise = None if noise is None else noise.to(device)

    def __call__(self, condition: Mapping[str, RgbImage]) -> RgbImage:
        """Paint one person. See `skinfw.inference.painting_model.PaintingModel`."""
        stacked = torch.cat([image_tensor([condition[name]]) for name in self.inputs], dim=1)
        stacked = stacked.to(self._device, memory_format=torch.channels_last)
        with torch.inference_mode():
            output = self._generator(stacked, self._noise)
        if not output.isfinite().all():
            raise NotFiniteError(
                "the generator's image is not finite (NaN or infinity): its training diverged or its "
                "checkpoint is damaged; use another checkpoint"
            )
        image: RgbImage = to_uint8(output)[0]
        return image


def _multiple(spec: Spec) -> int:
    config = spec.generator.config
    return config.size_requirement(spec.data.size).multiple_of if isinstance(config, GeneratorConfig) else 1


def preparation_of(spec: Spec, about: Mapping[str, Any]) -> Preparation:
    """Return how the photos of a run were prepared.

    The settings of a data set that prepares photos are in its configuration. For other data sets, the aspect
    is that of the training samples, and the rest the defaults of prepare.

    Args:
        spec: the filled spec.
        about: the metadata of the checkpoint.
    """
    fields = vars(spec.data.dataset.config).values()
    prepare = next((value for value in fields if isinstance(value, PrepareConfig)), PrepareConfig())
    low, high = read_aspects(about.get("aspects"), spec.data.size)
    if isinstance(prepare.crop, PersonCrop):
        aspect, margin = prepare.crop.aspect, prepare.crop.margin
        return Preparation(aspect=aspect, crop_margin=margin, removed_margin=prepare.margin)
    aspect = min(max((low * high) ** 0.5, MIN_ASPECT), MAX_ASPECT)
    return Preparation(aspect=aspect, removed_margin=prepare.margin)
