"""The colour of the face on all skin, a baseline."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor

from skinfw.data.sample import APPAREL, FACE, SKIN
from skinfw.interfaces import Generator
from skinfw_plugins.generators.config import ToneConfig
from skinfw_plugins.generators.filling import erased_pixels, erased_ring, inpaint

_RADIUS = 3.0
"""Of the ring's inpainting, in pixels; OpenCV's usual one."""


class ToneGenerator(Generator[ToneConfig]):
    """Fills the skin region with one colour: the median of the visible face, channel by channel.

    The median is taken as a robust mean: hair, eyes and shadows do not pull it away. Where no face is
    visible it is the median of all that is (everything but white), and white where nothing is. The ring that
    a composite with a margin takes beyond the skin is clothes or background: it is inpainted between that
    colour and its surroundings. All other pixels stay as they are. Nothing is trained.
    """

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        pictures = condition[:, self.io.channels_of(APPAREL)]
        # an erased pixel inside the face would count as skin of white colour
        visible = ~erased_pixels(pictures)[:, 0]
        faces = condition[:, self.io.channels_of(FACE)].amax(dim=1) > 0.5
        tones = torch.stack(
            [_tone(*sample) for sample in zip(pictures, faces & visible, visible, strict=True)]
        )
        skin = condition[:, self.io.channels_of(SKIN)].amax(dim=1, keepdim=True) > 0.5
        painted = torch.where(skin, tones[:, :, None, None], pictures)
        ring = erased_ring(pictures, skin, self.io.margin)
        return torch.where(ring, inpaint(painted, ring, _RADIUS, cv2.INPAINT_TELEA), painted)


def _tone(picture: Tensor, face: Tensor, visible: Tensor) -> Tensor:
    """Return the colour for one picture ``(3, H, W)`` with its masks ``(H, W)``, as ``(3,)``."""
    for region in (face, visible):
        if region.any():
            return picture[:, region].median(dim=1).values
    return torch.ones_like(picture[:, 0, 0])
