"""Changing the person's colors: brightness, contrast, saturation and hue."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from math import radians

import torch
from kornia.color import rgb_to_grayscale
from kornia.enhance import adjust_brightness_accumulative, adjust_hue, adjust_saturation_with_gray_subtraction
from torch import Tensor

from skinfw.data.batch import Batch
from skinfw.data.sample import APPAREL
from skinfw.interfaces.augmentation import AugmentationConfigT
from skinfw_plugins.augmentations.config import BrightnessConfig, ContrastConfig, HueConfig, SaturationConfig
from skinfw_plugins.augmentations.cutout import mask_outside, shows_the_target
from skinfw_plugins.augmentations.per_sample import PerSample, drawn
from skinfw_plugins.shared.erased import erased_pixels


def person_pixels(batch: Batch) -> Tensor:
    """Return where the person is, bool ``(B, 1, H, W)``: kept, skin, or not (nearly) white in the target."""
    return (batch.kept > 0.5) | (batch.skin > 0.5) | ~erased_pixels(batch.target)


class Color(PerSample[AugmentationConfigT]):
    """Changes the person's colors in ``apparel_head_foot`` and target alike; the background stays white."""

    def change(self, batch: Batch) -> Batch:
        """Return a copy in which every person has other colors."""
        amounts = self.amounts(batch).to(batch.target.device)
        in_apparel, in_target = self.regions(batch)
        target = self._changed(batch.target, in_target, amounts)
        if shows_the_target(batch):
            apparel = mask_outside(target, batch.kept)
        else:
            apparel = self._changed(batch.inputs[APPAREL], in_apparel, amounts)
        return replace(batch, inputs={**batch.inputs, APPAREL: apparel}, target=target)

    def _changed(self, pictures: Tensor, region: Tensor, amounts: Tensor) -> Tensor:
        """Change the pixels of a region; only they are computed, as one row."""
        changed = pictures.clone(memory_format=torch.channels_last)
        pixels, places = changed.permute(0, 2, 3, 1), region[:, 0]
        owners = places.nonzero()[:, 0]
        colors, by = (rows.T[None, :, None] for rows in (pixels[places], amounts[owners]))
        pixels[places] = self.adjust(colors, by).clamp(0, 1)[0, :, 0].T
        return changed

    def regions(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return where ``apparel_head_foot`` and where the target change, each bool ``(B, 1, H, W)``."""
        return batch.kept > 0.5, person_pixels(batch)

    @abstractmethod
    def amounts(self, batch: Batch) -> Tensor:
        """Draw by how much each sample changes, float32 ``(B, N)``."""

    @abstractmethod
    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Change each color on its own, so that what is equal in input and target stays so.

        Args:
            colors: float RGB ``(1, 3, 1, pixels)`` in [0, 1].
            amounts: those of the pixels' samples, float ``(1, N, 1, pixels)``.

        Returns:
            float ``(1, 3, 1, pixels)``; it is clamped to [0, 1] later.
        """


class BrightnessAugmentation(Color[BrightnessConfig]):
    """Makes the person brighter or darker: every value times a factor."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; see `Color.amounts`."""
        return drawn(len(batch.names), *self.config.factor)[:, None]

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Multiply; see `Color.adjust`."""
        adjusted: Tensor = adjust_brightness_accumulative(colors, amounts)
        return adjusted


class ContrastAugmentation(Color[ContrastConfig]):
    """Pulls the person's values away from their mean gray in the target, or towards it.

    The mean is that of the person alone: with white background in it, every change of contrast would be one
    of brightness.
    """

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; the mean grays stand beside them. See `Color.amounts`."""
        person = person_pixels(batch)
        gray = rgb_to_grayscale(batch.target) * person
        mean = gray.sum(dim=(1, 2, 3)) / person.sum(dim=(1, 2, 3)).clamp_min(1)
        return torch.stack([drawn(len(batch.names), *self.config.factor).to(mean.device), mean], dim=1)

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Go from the mean towards the colors, or beyond them; see `Color.adjust`."""
        factor, mean = torch.split(amounts, 1, dim=1)
        return torch.lerp(mean, colors, factor)


class SaturationAugmentation(Color[SaturationConfig]):
    """Pulls the person's colors away from the gray of their brightness, or towards it."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; see `Color.amounts`."""
        return drawn(len(batch.names), *self.config.factor)[:, None]

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Mix with gray; see `Color.adjust`."""
        adjusted: Tensor = adjust_saturation_with_gray_subtraction(colors, amounts)
        return adjusted


class HueAugmentation(Color[HueConfig]):
    """Turns the person's colors round the color wheel (hue of HSV)."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the angles in radians; see `Color.amounts`."""
        greatest = radians(self.config.degrees)
        return drawn(len(batch.names), -greatest, greatest)[:, None]

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Turn the hue; see `Color.adjust`."""
        adjusted: Tensor = adjust_hue(colors, amounts)
        return adjusted
