"""DCGAN's generator: images out of noise."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from skinfw.components.config import Size
from skinfw.interfaces import Generator, GeneratorIO
from skinfw_plugins.generators.config import DcganGeneratorConfig
from skinfw_plugins.networks.layers import init_pix2pix, norm_layers


class DcganGenerator(Generator[DcganGeneratorConfig]):
    """Paints images from noise alone (Radford et al. 2016, section 3; the report's section 5.2.2).

    A transposed convolution as large as the seed projects the latent vector and reshapes it in one; each of
    those that follow doubles the image. Normalization and ReLU come after all but the last, tanh after that
    one. The paper draws kernels of 5x5 pixels; these are 4x4 of stride 2, as the stride divides them and
    every pixel is painted by equally many weights. The input images are not looked at.

    Args:
        config: the parameters of the network.
        io: the size, to which it is bound.
    """

    conditional: ClassVar[bool] = False

    def __init__(self, config: DcganGeneratorConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        inwards = config.channels(io.size)
        self.project = self._normalized(
            nn.ConvTranspose2d(config.latent, inwards[-1], config.seed(io.size), bias=config.norm == "none")
        )
        self.up = nn.ModuleList(
            self._normalized(
                nn.ConvTranspose2d(incoming, outgoing, 4, stride=2, padding=1, bias=config.norm == "none")
            )
            for incoming, outgoing in pairwise(reversed(inwards))
        )
        self.last = nn.ConvTranspose2d(inwards[0], 3, 4, stride=2, padding=1)
        self.apply(init_pix2pix)

    def _normalized(self, convolution: nn.ConvTranspose2d) -> nn.Sequential:
        norm = norm_layers(self.config.norm, convolution.out_channels)
        return nn.Sequential(convolution, *norm, nn.ReLU(inplace=True))

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        """Return the shape of one sample's noise: the latent vector's."""
        return (self.config.latent,)

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Paint a batch; ``condition`` is not used. See `Generator.forward`."""
        if noise is None:
            raise ValueError("a DCGAN paints from noise alone; it needs noise")
        x = self.project(noise[:, :, None, None])
        for block in self.up:
            x = block(x)
        painted: Tensor = (torch.tanh(self.last(x)) + 1) / 2
        return painted
