"""The color of the face on all skin, a baseline."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor

from skinfw.data.sample import APPAREL, FACE, SKIN
from skinfw.interfaces import Generator
from skinfw_plugins.generators.config import ToneConfig
from skinfw_plugins.generators.filling import erased_ring, inpaint
from skinfw_plugins.shared.skin_tone import visible_tones

_RADIUS = 3.0
"""Of the ring's inpainting, in pixels; OpenCV's usual one."""


class ToneGenerator(Generator[ToneConfig]):
    """Fills the skin region with one color: the median of the visible face, channel by channel.

    Where no face is visible it is the median of all that is (everything but white), and white where nothing
    is. The ring that a composite with a margin takes beyond the skin is clothes or background: it is
    inpainted between that color and its surroundings. All other pixels stay as they are. Nothing is trained.
    """

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        pictures = condition[:, self.io.channels_of(APPAREL)]
        tones = visible_tones(pictures, condition[:, self.io.channels_of(FACE)])
        skin = condition[:, self.io.channels_of(SKIN)].amax(dim=1, keepdim=True) > 0.5
        painted = torch.where(skin, tones[:, :, None, None], pictures)
        ring = erased_ring(pictures, skin, self.io.margin)
        return torch.where(ring, inpaint(painted, ring, _RADIUS, cv2.INPAINT_TELEA), painted)
