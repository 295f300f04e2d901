"""The U-Net of pix2pix."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skinfw.interfaces import GeneratorIO
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide
from skinfw_plugins.generators.config import Pix2PixConfig
from skinfw_plugins.networks.layers import init_pix2pix, norm_layers
from skinfw_plugins.shared.fields import Norm

_DROPOUT_BLOCKS = 3


class Pix2PixGenerator(ConditionalGenerator[Pix2PixConfig]):
    """An encoder and a decoder with a skip connection at every scale (Isola et al. 2017, section 6.1.1).

    A down block halves the image with a 4x4 convolution of stride 2, an up block doubles it with a transposed
    one. Channels are 1, 2, 4, 8, 8, ... times ``base_channels``. No normalization follows the first
    convolution, the bottleneck or the last convolution, which tanh follows. Without ``noise`` the same
    condition gives the same image (the report's section 5.2.3).

    Args:
        config: the parameters of the network.
        io: the size and the names of the input images.
    """

    def __init__(self, config: Pix2PixConfig, io: GeneratorIO) -> None:
        depth = config.depth_for(io.size)
        channels = [config.base_channels * min(2**level, 8) for level in range(depth)]
        super().__init__(config, io, channels[-1])
        innermost = depth - 1
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level in range(depth):
            norm: Norm = config.norm if 0 < level < innermost else "none"
            incoming = channels[level - 1] if level else self.incoming
            self.down.append(_down_block(incoming, channels[level], norm, activated=level > 0))
        for level in range(innermost, -1, -1):
            # below the bottleneck an up block also receives the down block's output of the same scale
            incoming = channels[level] * (1 if level == innermost else 2)
            if level:
                self.up.append(_up_block(incoming, channels[level - 1], config.norm))
            else:
                self.up.append(_up_block(incoming, config.output_channels, "none"))
        self.apply(init_pix2pix)

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        x = channels
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.modulate(skips.pop(), guide)
        for index, block in enumerate(self.up):
            x = block(torch.cat([x, skips.pop()], dim=1) if index else x)
            if index < _DROPOUT_BLOCKS and index < len(self.up) - 1:
                x = guide.drop(x)
        return torch.tanh(x)


def _down_block(incoming: int, outgoing: int, norm: Norm, activated: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if activated else []
    layers.append(nn.Conv2d(incoming, outgoing, 4, stride=2, padding=1, bias=norm == "none"))
    return nn.Sequential(*layers, *norm_layers(norm, outgoing))


def _up_block(incoming: int, outgoing: int, norm: Norm) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReLU()]
    layers.append(nn.ConvTranspose2d(incoming, outgoing, 4, stride=2, padding=1, bias=norm == "none"))
    return nn.Sequential(*layers, *norm_layers(norm, outgoing))
