"""The color of the face on all skin, a baseline."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.components.field_names import APPAREL, FACE, MASK, SKIN
from skinfw.interfaces import Generator
from skinfw_plugins.generators.condition_masks import mask_of
from skinfw_plugins.generators.config import MeanColorConfig
from skinfw_plugins.shared.skin_tone import visible_tones
from skinfw_plugins.shared.smooth_fill import fill_smoothly


class MeanColorGenerator(Generator[MeanColorConfig]):
    """Fills the skin region with one color: the median of the visible face, channel by channel.

    If no face is visible, it is the median of everything visible (not white), and white if nothing is. The
    rest of the inpainting mask is clothes or background and is filled smoothly between that color and its
    surroundings. All other pixels stay as they are. Nothing is trained.
    """

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch; ``noise`` is not used. See `Generator.forward`."""
        images = condition[:, self.io.channels_of(APPAREL)]
        tones = visible_tones(images, condition[:, self.io.channels_of(FACE)])
        skin, mask = (mask_of(condition, self.io.channels_of(name)) for name in (SKIN, MASK))
        painted = torch.where(skin, tones[:, :, None, None], images)
        return fill_smoothly(painted, mask & ~skin)
