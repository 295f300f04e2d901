"""The U-Net of pix2pix."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skinfw.interfaces import Generator, GeneratorIO
from skinfw_plugins.fields import Norm
from skinfw_plugins.generators.config import Pix2PixConfig
from skinfw_plugins.layers import init_pix2pix, norm_layers

_DROPOUT_BLOCKS = 3


class Pix2PixGenerator(Generator[Pix2PixConfig]):
    """An encoder and a decoder with a skip connection at every scale (Isola et al. 2017, section 6.1.1).

    A down block halves the picture by a 4x4 convolution of stride 2, an up block doubles it by a transposed
    one. Channels are 1, 2, 4, 8, 8, ... times ``base_channels``. No normalisation follows the first
    convolution, the bottleneck, or the last one. The condition is scaled to [-1, 1] on the way in, the
    output from tanh's [-1, 1] to [0, 1] on the way out. There is no noise: the same condition gives the same
    picture (the report's section 5.2.3), except in training where ``dropout`` is set.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input pictures.
    """

    def __init__(self, config: Pix2PixConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        depth = config.depth_for(io.size)
        channels = [config.base_channels * min(2**level, 8) for level in range(depth)]
        innermost = depth - 1
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level in range(depth):
            norm: Norm = config.norm if 0 < level < innermost else "none"
            incoming = channels[level - 1] if level else io.condition_channels
            self.down.append(_down_block(incoming, channels[level], norm, activated=level > 0))
        for level in range(innermost, -1, -1):
            # below the bottleneck an up block also gets the down block's output of its own scale
            incoming = channels[level] * (1 if level == innermost else 2)
            dropout = config.dropout if innermost - level < _DROPOUT_BLOCKS else 0.0
            if level:
                self.up.append(_up_block(incoming, channels[level - 1], config.norm, dropout))
            else:
                self.up.append(_up_block(incoming, 3, "none", 0.0))
        self.apply(init_pix2pix)

    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch; ``noise`` is not used. See `Generator.forward`."""
        x = condition * 2 - 1
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = skips.pop()
        for index, block in enumerate(self.up):
            x = block(torch.cat([x, skips.pop()], dim=1) if index else x)
        return (torch.tanh(x) + 1) / 2


def _down_block(incoming: int, outgoing: int, norm: Norm, activated: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if activated else []
    layers.append(nn.Conv2d(incoming, outgoing, 4, stride=2, padding=1, bias=norm == "none"))
    return nn.Sequential(*layers, *norm_layers(norm, outgoing))


def _up_block(incoming: int, outgoing: int, norm: Norm, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReLU()]
    layers.append(nn.ConvTranspose2d(incoming, outgoing, 4, stride=2, padding=1, bias=norm == "none"))
    layers.extend(norm_layers(norm, outgoing))
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)
