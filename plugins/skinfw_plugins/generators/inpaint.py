"""Classical inpainting, a baseline."""

from __future__ import annotations

import cv2
from torch import Tensor

from skinfw.data.sample import APPAREL, SKIN
from skinfw.interfaces import Generator
from skinfw_plugins.generators.config import InpaintConfig
from skinfw_plugins.generators.filling import erased_ring, inpaint

_METHODS = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}


class InpaintGenerator(Generator[InpaintConfig]):
    """Fills the skin region from the pixels around it by OpenCV's inpainting.

    The ring that preparation erased around the skin is filled with it: its white would flow in otherwise,
    and a composite with a margin takes the ring from here. Beyond the ring, white counts as a neighbor like
    any other color, background included, and every pixel stays as it is. Nothing is trained.
    """

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        pictures = condition[:, self.io.channels_of(APPAREL)]
        skin = condition[:, self.io.channels_of(SKIN)].amax(dim=1, keepdim=True) > 0.5
        region = skin | erased_ring(pictures, skin, max(self.config.margin, self.io.margin))
        return inpaint(pictures, region, self.config.radius, _METHODS[self.config.method])
