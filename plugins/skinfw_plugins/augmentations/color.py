"""Changing the person's colors: brightness, contrast, saturation and hue."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import radians

import torch
from kornia.color import rgb_to_grayscale
from kornia.enhance import adjust_brightness_accumulative, adjust_hue, adjust_saturation_with_gray_subtraction
from torch import Tensor

from skinfw.components.field_names import APPAREL, BODY, IMAGE, KEEP, MASK, SKIN
from skinfw.data.batch import Batch
from skinfw.data.pixel_types import ImageType
from skinfw.data.transform import cut_again, is_cut
from skinfw.interfaces.augmentation import AugmentationConfigT
from skinfw_plugins.augmentations.config import BrightnessConfig, ContrastConfig, HueConfig, SaturationConfig
from skinfw_plugins.augmentations.per_sample import PerSample, drawn
from skinfw_plugins.shared.erased import erased_pixels


def person_pixels(batch: Batch) -> Tensor:
    """Return where the person is, bool ``(B, 1, H, W)``; everywhere for a photo with background."""
    if BODY not in batch:
        return torch.ones_like(batch[IMAGE][:, :1], dtype=torch.bool)
    known = (batch[KEEP] > 0.5) | (batch[SKIN] > 0.5)
    # samples of the report have no person mask; the inpainting mask may cover background, which is pure white
    covered = (batch[MASK] > 0.5) & (batch[BODY] < 1).any(dim=1, keepdim=True)
    return known | covered | ~erased_pixels(batch[BODY])


class Color(PerSample[AugmentationConfigT]):
    """Changes the person's colors in both ``apparel_head_foot`` and target; the background stays white."""

    def change(self, batch: Batch) -> Batch:
        """Return a copy in which every person's colors are changed."""
        amounts = self.amounts(batch).to(batch.device)
        regions = {name: region for name, region in self.regions(batch).items() if name in batch}
        cut = [name for name in regions if is_cut(batch, name)]
        changed = {
            name: self._changed(batch[name], region, amounts)
            for name, region in regions.items()
            if name not in cut
        }
        return cut_again(batch.updated(changed), cut)

    def _changed(self, images: Tensor, region: Tensor | None, amounts: Tensor) -> Tensor:
        """Change the pixels of a region, or all of them; only they are computed, as one row."""
        if region is None:
            count, _, height, width = images.shape
            colors = images.transpose(0, 1).flatten(1)[None, :, None]
            by = amounts.repeat_interleave(height * width, dim=0).T[None, :, None]
            row = self.adjust(colors, by).clamp(0, 1)[0, :, 0]
            return row.reshape(len(row), count, height, width).transpose(0, 1)
        changed = images.clone(memory_format=torch.channels_last)
        pixels, places = changed.permute(0, 2, 3, 1), region[:, 0]
        owners = places.nonzero()[:, 0]
        colors, by = (rows.T[None, :, None] for rows in (pixels[places], amounts[owners]))
        pixels[places] = self.adjust(colors, by).clamp(0, 1)[0, :, 0].T
        return changed

    def regions(self, batch: Batch) -> Mapping[str, Tensor | None]:
        """Return where images change by name, each bool ``(B, 1, H, W)``; None where all of them does."""
        if BODY not in batch:
            return {IMAGE: None}
        person = person_pixels(batch)
        others = [
            name
            for name, types in batch.types.items()
            if isinstance(types[0], ImageType) and types[0].recolored
        ]
        return {APPAREL: batch[KEEP] > 0.5, BODY: person, **dict.fromkeys(others, person)}

    @abstractmethod
    def amounts(self, batch: Batch) -> Tensor:
        """Draw the amount of change for each sample, float32 ``(B, N)``."""

    @abstractmethod
    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Change each color independently, so that equal colors in input and target stay equal.

        Args:
            colors: float RGB ``(1, 3, 1, pixels)`` in [0, 1].
            amounts: amounts for the pixels' samples, float ``(1, N, 1, pixels)``.

        Returns:
            float ``(1, 3, 1, pixels)``; it is clamped to [0, 1] later.
        """


class BrightnessAugmentation(Color[BrightnessConfig]):
    """Makes the person brighter or darker: every value times a factor."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; see `Color.amounts`."""
        return drawn(len(batch), *self.config.factor)[:, None]

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Multiply; see `Color.adjust`."""
        adjusted: Tensor = adjust_brightness_accumulative(colors, amounts)
        return adjusted


class ContrastAugmentation(Color[ContrastConfig]):
    """Moves the person's values away from their mean gray in the target or towards it.

    The mean is that of the person alone: including the white background would turn every change of contrast
    into one of brightness.
    """

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors, followed by the mean grays. See `Color.amounts`."""
        person = person_pixels(batch)
        gray = rgb_to_grayscale(batch[BODY if BODY in batch else IMAGE]) * person
        mean = gray.sum(dim=(1, 2, 3)) / person.sum(dim=(1, 2, 3)).clamp_min(1)
        return torch.stack([drawn(len(batch), *self.config.factor).to(mean.device), mean], dim=1)

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Interpolate or extrapolate from the mean to the colors; see `Color.adjust`."""
        factor, mean = torch.split(amounts, 1, dim=1)
        return torch.lerp(mean, colors, factor)


class SaturationAugmentation(Color[SaturationConfig]):
    """Moves the person's colors away from the gray of their brightness or towards it."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the factors; see `Color.amounts`."""
        return drawn(len(batch), *self.config.factor)[:, None]

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Mix with gray; see `Color.adjust`."""
        adjusted: Tensor = adjust_saturation_with_gray_subtraction(colors, amounts)
        return adjusted


class HueAugmentation(Color[HueConfig]):
    """Rotates the person's colors around the color wheel (hue of HSV)."""

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the angles in radians; see `Color.amounts`."""
        greatest = radians(self.config.degrees)
        return drawn(len(batch), -greatest, greatest)[:, None]

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Rotate the hue; see `Color.adjust`."""
        adjusted: Tensor = adjust_hue(colors, amounts)
        return adjusted
