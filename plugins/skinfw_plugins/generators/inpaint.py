"""Classical inpainting, a baseline."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from skinfw.composite import to_uint8
from skinfw.data.sample import APPAREL, SKIN, picture_tensor
from skinfw.data.segmentation import Mask, Picture
from skinfw.interfaces import Generator
from skinfw_plugins.generators.config import InpaintConfig

_METHODS = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}


class InpaintGenerator(Generator[InpaintConfig]):
    """Fills the skin region from the pixels around it by OpenCV's inpainting.

    The region is taken as it is given. Where it borders on the erased background, that white counts as a
    neighbour like any other colour. Pixels outside the region stay as they are. Nothing is trained.
    """

    required_inputs: ClassVar[tuple[str, ...]] = (APPAREL, SKIN)

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        pictures = to_uint8(condition[:, self.io.channels_of(APPAREL)])
        regions = (condition[:, self.io.channels_of(SKIN)].amax(dim=1) > 0.5).cpu().numpy()
        filled = [self._fill(picture, region) for picture, region in zip(pictures, regions, strict=True)]
        return picture_tensor(filled).to(condition.device, torch.float32)

    def _fill(self, picture: Picture, region: Mask) -> Picture:
        mask = region.astype(np.uint8) * 255
        filled = cv2.inpaint(picture, mask, self.config.radius, _METHODS[self.config.method])
        return np.asarray(filled, np.uint8)
