"""Lighter and darker skin."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from kornia.color import lab_to_rgb, rgb_to_lab
from torch import Tensor

from skinfw.components.field_names import APPAREL, BODY, FACE, KEEP, SKIN
from skinfw.data.batch import Batch
from skinfw_plugins.augmentations.color import Color
from skinfw_plugins.augmentations.config import SkinToneConfig
from skinfw_plugins.augmentations.per_sample import drawn

TONE_AXIS = (1.0, -0.09, -0.07)
"""How L*, a* and b* change together from darker to lighter skin: the regression of a* and b* on L*, over the
medians of skin and face in 365 street photos (Clothing Co-Parsing, Yang et al. 2014, by its own label
maps)."""


class SkinToneAugmentation(Color[SkinToneConfig]):
    """Shifts the color of skin in CIELAB: one shift per sample, for the skin region and the face together.

    It changes the skin and the face, in ``apparel_head_foot`` what is visible of them. If the face is not
    visible, it shifts only the skin. The whole face mask shifts, including eyes and hair within it. Colors
    outside sRGB are clipped.
    """

    def regions(self, batch: Batch) -> Mapping[str, Tensor | None]:
        """Return face and skin, in the input those that are visible; see `Color.regions`."""
        visible = batch[KEEP] > 0.5
        shown = ((batch[FACE] > 0.5) & visible) | (batch[SKIN] > 0.5)
        return {APPAREL: shown & visible, BODY: shown}

    def amounts(self, batch: Batch) -> Tensor:
        """Draw the shifts of L*, a* and b*; see `Color.amounts`."""
        count, lightness, chroma = len(batch), self.config.lightness, self.config.chroma
        along = drawn(count, -lightness, lightness)[:, None] * torch.tensor(TONE_AXIS)
        beside = [torch.zeros(count), *(drawn(count, -chroma, chroma) for _ in range(2))]
        return along + torch.stack(beside, dim=1)

    def adjust(self, colors: Tensor, amounts: Tensor) -> Tensor:
        """Shift in CIELAB; see `Color.adjust`."""
        adjusted: Tensor = lab_to_rgb(rgb_to_lab(colors) + amounts)
        return adjusted
