"""Filling the background with a generator that nobody has to train, such as a network in an ONNX file."""

from __future__ import annotations

import numpy as np
import torch

from skinfw.assembly.build import build
from skinfw.components.config import GeneratorConfig, InputConfig
from skinfw.components.field_names import APPAREL, MASK, SKIN
from skinfw.components.reference import ComponentSpec, use
from skinfw.data.pixel_types import image_tensor, mask_tensor
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import UserError
from skinfw.inference.composite import to_uint8
from skinfw.interfaces import Generator, GeneratorIO

_INPUTS = (APPAREL, SKIN, MASK)

_TRIED = 64
"""Height and width in pixels of the image on which a generator is tried."""


class BackgroundGenerator:
    """Fills hidden pixels with a generator. See `skinfw.inference.background.Fill`.

    Args:
        reference: a generator with nothing to train that needs an image and its holes only.

    Raises:
        UserError: it needs training or other inputs, or it cannot fill a first small image.
        DataError: as for `UserError`.
    """

    context = 0.5

    def __init__(self, reference: ComponentSpec) -> None:
        config = reference.config
        assert isinstance(config, GeneratorConfig)
        others = [name for name in config.required_inputs if name not in _INPUTS]
        why = ""
        if config.trainable:
            why = "has to be trained on skin"
        elif config.gives_alpha:
            why = "draws skin"
        elif others:
            why = f"needs {', '.join(others)} besides an image and its holes"
        if why:
            raise UserError(
                f"background: {reference.name!r} {why}; use opencv_inpaint, or onnx with an inpainting "
                "network"
            )
        self._reference = reference
        inputs = {name: _channels(name) for name in config.required_inputs}
        self._generator = build(reference, Generator, GeneratorIO((_TRIED, _TRIED), inputs)).eval()
        hidden = np.zeros((_TRIED, _TRIED), bool)
        hidden[: _TRIED // 2] = True
        self(np.full((_TRIED, _TRIED, 3), 128, np.uint8), hidden)

    def __call__(self, image: RgbImage, hidden: Mask) -> RgbImage:
        """Return the image with its hidden pixels filled."""
        shown = image.copy()
        shown[hidden] = WHITE
        holes = mask_tensor([hidden])
        fields = {APPAREL: image_tensor([shown]), SKIN: holes, MASK: holes}
        condition = [
            fields[name].expand(-1, channels, -1, -1) for name, channels in self._generator.io.inputs.items()
        ]
        with torch.no_grad():
            filled = self._generator(torch.cat(condition, dim=1))
        return np.where(hidden[..., None], to_uint8(filled)[0], image)

    def fingerprint(self) -> object:
        """Return what the pixels depend on, for JSON."""
        return [self._reference.to_json(), self._generator.fingerprint()]


def _channels(name: str) -> int:
    config = use("input", name).config
    assert isinstance(config, InputConfig)
    return config.channels
