"""Filling the background with a generator that nobody has to train, such as a network in an ONNX file."""

from __future__ import annotations

import numpy as np
import torch

from skinfw.assembly.build import build
from skinfw.components.config import GeneratorConfig
from skinfw.components.field_names import APPAREL, MASK, SKIN
from skinfw.components.reference import ComponentSpec
from skinfw.data.pixel_types import image_tensor, mask_tensor
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import UserError
from skinfw.inference.composite import to_uint8
from skinfw.interfaces import Generator, GeneratorIO

_CHANNELS = {APPAREL: 3, SKIN: 3, MASK: 1}


class BackgroundGenerator:
    """Fills hidden pixels with a generator. See `skinfw.inference.background.Fill`.

    Args:
        reference: a generator with nothing to train that needs an image and its holes only.

    Raises:
        UserError: it needs training, or other inputs.
    """

    def __init__(self, reference: ComponentSpec) -> None:
        config = reference.config
        assert isinstance(config, GeneratorConfig)
        others = [name for name in config.required_inputs if name not in _CHANNELS]
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
        inputs = {name: _CHANNELS[name] for name in config.required_inputs}
        self._generator = build(reference, Generator, GeneratorIO((512, 512), inputs)).eval()

    def __call__(self, image: RgbImage, hidden: Mask) -> RgbImage:
        """Return the image with its hidden pixels filled."""
        shown = image.copy()
        shown[hidden] = WHITE
        holes = mask_tensor([hidden])
        fields = {APPAREL: image_tensor([shown]), SKIN: holes.expand(-1, 3, -1, -1), MASK: holes}
        with torch.no_grad():
            filled = self._generator(torch.cat([fields[name] for name in self._generator.io.inputs], dim=1))
        return np.where(hidden[..., None], to_uint8(filled)[0], image)

    def fingerprint(self) -> object:
        """Return what the pixels depend on, for JSON."""
        return [self._reference.to_json(), self._generator.fingerprint()]
