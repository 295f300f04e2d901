"""Augmenting photos together with their label maps."""

from __future__ import annotations

from dataclasses import replace

import torch
from kornia.augmentation import RandomAffine
from kornia.constants import Resample
from torch import Tensor
from torchvision.transforms import v2

from skinfw.data.classes import UNKNOWN
from skinfw.specs.segmentation_spec import SegmentationAugmentation
from skinfw.tasks.segmentation.photos import LabeledBatch


class LabeledAugmentation:
    """Mirrors, moves and recolors photos; what moves a photo moves its label map.

    Label maps take the nearest pixel, so that no class comes up at edges. Beyond the border the edge is
    repeated, in photo and label map alike.

    Args:
        config: how much.
        classes: the names of the classes in the order of the labels.
    """

    def __init__(self, config: SegmentationAugmentation, classes: tuple[str, ...]) -> None:
        self.config = config
        mirrored = list(range(UNKNOWN + 1))
        for one, other in config.flip_classes:
            left, right = classes.index(one), classes.index(other)
            mirrored[left], mirrored[right] = right, left
        self._mirrored = torch.tensor(mirrored)
        self._affine = RandomAffine(
            degrees=config.degrees,
            translate=(config.shift, config.shift),
            scale=(1 - config.scale, 1 + config.scale),
            padding_mode="border",
            p=1.0,
        )
        self._moves = bool(config.degrees or config.shift or config.scale)
        self._jitter = v2.ColorJitter(config.brightness, config.contrast, config.saturation, config.hue)
        self._recolors = bool(config.brightness or config.contrast or config.saturation or config.hue)

    @torch.no_grad()
    def __call__(self, batch: LabeledBatch) -> LabeledBatch:
        """Return a changed copy of a batch."""
        pictures, labels = self._flipped(batch.pictures, batch.labels)
        if self._moves:
            pictures = self._affine(pictures)
            moved = self._affine(
                labels[:, None].to(pictures.dtype), params=self._affine._params, resample=Resample.NEAREST
            )
            labels = moved[:, 0].round().long()
        if self._recolors:
            pictures = torch.stack([self._jitter(picture) for picture in pictures.contiguous()])
        return replace(batch, pictures=pictures.clamp(0, 1), labels=labels)

    def _flipped(self, pictures: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        mirror = torch.rand(len(pictures)).to(pictures.device) < self.config.flip
        swapped = self._mirrored.to(labels.device)[labels.flip(-1)]
        return (
            torch.where(mirror[:, None, None, None], pictures.flip(-1), pictures),
            torch.where(mirror[:, None, None], swapped, labels),
        )
