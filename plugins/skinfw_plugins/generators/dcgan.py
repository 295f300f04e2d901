"""DCGAN's generator: images from noise."""

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
    """Generates images from noise alone (Radford et al. 2016, section 3; the report's section 5.2.2).

    A transposed convolution as large as the seed projects and reshapes the latent vector; each of the
    following ones doubles the image. Normalization and ReLU follow all but the last, which tanh follows. The
    paper uses 5x5 kernels; these are 4x4 with stride 2, which divides the kernel size, so every pixel depends
    on equally many weights. The input images are ignored.

    Args:
        config: the parameters of the network.
        io: the size, which is fixed.
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
        """Return the shape of one sample's noise: that of the latent vector."""
        return (self.config.latent,)

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Generate a batch; ``condition`` is not used. See `Generator.forward`."""
        if noise is None:
            raise ValueError("a DCGAN generates from noise alone, so it needs noise")
        x = self.project(noise[:, :, None, None])
        for block in self.up:
            x = block(x)
        painted: Tensor = (torch.tanh(self.last(x)) + 1) / 2
        return painted
