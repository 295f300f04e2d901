"""Classical inpainting, a baseline."""

from __future__ import annotations

import cv2
from torch import Tensor

from skinfw.components.field_names import APPAREL, MASK, SKIN
from skinfw.inference.fill import inpaint
from skinfw.interfaces import Generator
from skinfw_plugins.generators.condition_masks import mask_of
from skinfw_plugins.generators.config import OpenCvInpaintConfig

_METHODS = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}


class OpenCvInpaintGenerator(Generator[OpenCvInpaintConfig]):
    """Fills the skin region from the pixels around it with OpenCV's inpainting.

    It fills the whole inpainting mask: otherwise the white that preparation left around the skin would flow
    in. Outside the mask, white counts as a neighbor like any other color, including background, and every
    pixel stays as it is. Nothing is trained.
    """

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch; ``noise`` is not used. See `Generator.forward`."""
        images = condition[:, self.io.channels_of(APPAREL)]
        skin, mask = (mask_of(condition, self.io.channels_of(name)) for name in (SKIN, MASK))
        region = skin | mask
        return inpaint(images, region, self.config.radius, _METHODS[self.config.method])
