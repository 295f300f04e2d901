"""Classical inpainting, a baseline."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from skinfw.composite import to_uint8
from skinfw.data.batch import picture_tensor
from skinfw.data.sample import APPAREL, SKIN
from skinfw.data.segmentation import Mask, Picture
from skinfw.interfaces import Generator
from skinfw_plugins.generators.config import InpaintConfig

_METHODS = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}


class InpaintGenerator(Generator[InpaintConfig]):
    """Fills the skin region from the pixels around it by OpenCV's inpainting.

    The ring that preparation erased around the skin is inpainted with it, or its white would flow in; beyond
    that ring, white counts as a neighbour like any other colour, background included. Pixels outside the
    skin region stay as they are. Nothing is trained.
    """

    required_inputs: ClassVar[tuple[str, ...]] = (APPAREL, SKIN)

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        pictures = to_uint8(condition[:, self.io.channels_of(APPAREL)])
        regions = (condition[:, self.io.channels_of(SKIN)].amax(dim=1) > 0.5).cpu().numpy()
        filled = [self._fill(picture, region) for picture, region in zip(pictures, regions, strict=True)]
        return picture_tensor(filled).to(condition.device, torch.float32)

    def _fill(self, picture: Picture, skin: Mask) -> Picture:
        mask = skin.astype(np.uint8)
        side = 2 * self.config.margin + 1
        around = cv2.dilate(mask, np.ones((side, side), np.uint8))
        erased = (picture == 255).all(axis=2)
        mask[erased & (around > 0)] = 1
        filled = cv2.inpaint(picture, mask, self.config.radius, _METHODS[self.config.method])
        return np.where(skin[..., None], filled, picture)
