"""The colour of the face on all skin, a baseline."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from skinfw.data.sample import APPAREL, FACE, SKIN
from skinfw.interfaces import Generator
from skinfw_plugins.generators.config import ToneConfig

_WHITE = 254.5 / 255


class ToneGenerator(Generator[ToneConfig]):
    """Fills the skin region with one colour: the median of the visible face, channel by channel.

    The median stands for a robust mean, which hair, eyes and shadows do not pull away. Where no face is
    visible it is the median of all that is (everything but white), and white where nothing is. Pixels
    outside the region stay as they are. Nothing is trained.
    """

    required_inputs: ClassVar[tuple[str, ...]] = (APPAREL, FACE, SKIN)

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        pictures = condition[:, self.io.channels_of(APPAREL)]
        faces = condition[:, self.io.channels_of(FACE)].amax(dim=1) > 0.5
        skin = condition[:, self.io.channels_of(SKIN)].amax(dim=1, keepdim=True) > 0.5
        tones = torch.stack([_tone(picture, face) for picture, face in zip(pictures, faces, strict=True)])
        return torch.where(skin, tones[:, :, None, None], pictures)


def _tone(picture: Tensor, face: Tensor) -> Tensor:
    """Return the colour for one picture ``(3, H, W)`` with its face mask ``(H, W)``, as ``(3,)``."""
    # an erased pixel inside the face mask would count as skin of white colour
    visible = picture.amin(dim=0) < _WHITE
    for region in (face & visible, visible):
        if region.any():
            return picture[:, region].median(dim=1).values
    return torch.ones_like(picture[:, 0, 0])
