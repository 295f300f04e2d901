"""Changing the person's colours: brightness, contrast, saturation and hue."""

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
from skinfw_plugins.augmentations.cutout import cut_out, shows_the_target
from skinfw_plugins.augmentations.per_sample import PerSample, drawn
from skinfw_plugins.shared.erased import erased_pixels


def person_pixels(batch: Batch) -> Tensor:
    """Return where the person is, bool ``(B, 1, H, W)``: kept, skin, or not (nearly) white in the target."""
    return (batch.kept > 0.5) | (batch.skin > 0.5) | ~erased_pixels(batch.target)


class Colour(PerSample[AugmentationConfigT]):
    """Changes the person's colours in ``apparel_head_foot`` and target alike; the background stays white."""

    def change(self, batch: Batch) -> Batch:
        """Return a copy in which every person has other colours."""
        amounts = self.amounts(batch).to(batch.target.device)
        in_apparel, in_target = self.regions(batch)
        target = self._changed(batch.target, in_target, amounts)
        if shows_the_target(batch):
            apparel = cut_out(target, batch.kept)
        else:
            apparel = self._changed(batch.inputs[APPAREL], in_apparel, amounts)
        return replace(batch, inputs={**batch.inputs, APPAREL: apparel}, target=target)

    def _changed(self, pictures: Tensor, region: Tensor, amounts: Tensor) -> Tensor:
        """Change the pixels of a region; only they are computed, as one row."""
        changed = pictures.clone(memory_format=torch.channels_last)
        pixels, places = changed.permute(0, 2, 3, 1), region[:, 0]
        owners = places.nonzero()[:, 0]
        colours, by = (rows.T[None, :, None] for rows in (pixels[places], amounts[owners]))
        pixels[places] = self.adjust(colours, by).clamp(0, 1)[0, :, 0].T
        return changed

    def regions(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return where ``apparel_head_foot`` and where the target change, each bool ``(B, 1, H, W)``."""
        return batch.kept > 0.5, person_pixels(batch)

    @abstractmethod
    def amounts(self, batch: Batch) -> Tensor:
        """Draw by how much each sample changes, float32 ``(B, N)``."""

    @abstractmethod
    def adjust(self, colours: Tensor, amounts: Tensor) -> Tensor:
        """Change each colour on its own, so that what is equal in input and target stays so.

        Args:
            colours: float RGB ``(1, 3, 1, pixels)`` in [0, 1].
            amounts: those of the pixels' samples, float ``(1, N, 1, pixels)``.

        Returns:
            float ``(1, 3, 1, pixels)``; it is clamped to [0, 1] later.
        """


class BrightnessAugmentation(Colour[BrightnessConfig]):
    """Makes the person brighter or darker: every value times a factor."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; see `Colour.amounts`."""
        return drawn(len(batch.names), *self.config.factor)[:, None]

    def adjust(self, colours: Tensor, amounts: Tensor) -> Tensor:
        """Multiply; see `Colour.adjust`."""
        adjusted: Tensor = adjust_brightness_accumulative(colours, amounts)
        return adjusted


class ContrastAugmentation(Colour[ContrastConfig]):
    """Pulls the person's values away from their mean grey in the target, or towards it.

    The mean is that of the person alone: with white background in it, every change of contrast would be one
    of brightness.
    """

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; the mean greys stand beside them. See `Colour.amounts`."""
        person = person_pixels(batch)
        grey = rgb_to_grayscale(batch.target) * person
        mean = grey.sum(dim=(1, 2, 3)) / person.sum(dim=(1, 2, 3)).clamp_min(1)
        return torch.stack([drawn(len(batch.names), *self.config.factor).to(mean.device), mean], dim=1)

    def adjust(self, colours: Tensor, amounts: Tensor) -> Tensor:
        """Go from the mean towards the colours, or beyond them; see `Colour.adjust`."""
        factor, mean = torch.split(amounts, 1, dim=1)
        return torch.lerp(mean, colours, factor)


class SaturationAugmentation(Colour[SaturationConfig]):
    """Pulls the person's colours away from the grey of their brightness, or towards it."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; see `Colour.amounts`."""
        return drawn(len(batch.names), *self.config.factor)[:, None]

    def adjust(self, colours: Tensor, amounts: Tensor) -> Tensor:
        """Mix with grey; see `Colour.adjust`."""
        adjusted: Tensor = adjust_saturation_with_gray_subtraction(colours, amounts)
        return adjusted


class HueAugmentation(Colour[HueConfig]):
    """Turns the person's colours round the colour wheel (hue of HSV)."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the angles in radians; see `Colour.amounts`."""
        greatest = radians(self.config.degrees)
        return drawn(len(batch.names), -greatest, greatest)[:, None]

    def adjust(self, colours: Tensor, amounts: Tensor) -> Tensor:
        """Turn the hue; see `Colour.adjust`."""
        adjusted: Tensor = adjust_hue(colours, amounts)
        return adjusted
