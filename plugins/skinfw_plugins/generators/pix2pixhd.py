"""The coarse-to-fine generator of pix2pixHD."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from skinfw.interfaces import GeneratorIO
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide
from skinfw_plugins.generators.config_architectures import Pix2PixHDConfig
from skinfw_plugins.networks.layers import doubling_block, init_pix2pix, norm_layers, reflected_block
from skinfw_plugins.shared.fields import Norm


class Pix2PixHDGenerator(ConditionalGenerator[Pix2PixHDConfig]):
    """A global generator and local enhancers around it (Wang et al. 2018, section 3.2 and appendix).

    The global generator is a 7x7 convolution, halvings, residual blocks and doublings. It works at half the
    size of the first local enhancer, which adds the last features of the global generator to its own at that
    size before its residual blocks; a second enhancer does the same around the first. A 7x7 convolution and
    tanh follow only the outermost network. The paper trains from the inside out; here all are trained at
    once, like the paper's last phase. Normalizations have a learned scale and shift.

    The color of the visible skin acts before the global generator's residual blocks, dropout within them.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input images.
    """

    def __init__(self, config: Pix2PixHDConfig, io: GeneratorIO) -> None:
        inner = config.base_channels * 2**config.downsamplings
        super().__init__(config, io, inner)
        norm = config.norm
        widths = [config.base_channels * 2**level for level in range(config.downsamplings + 1)]
        self.down = nn.Sequential(
            reflected_block(self.incoming, widths[0], 7, norm),
            *(reflected_block(width, 2 * width, 3, norm, stride=2) for width in widths[:-1]),
        )
        self.blocks = nn.ModuleList(ResidualBlock(inner, norm) for _ in range(config.blocks))
        self.up = nn.Sequential(*(doubling_block(2 * width, width, norm) for width in widths[-2::-1]))
        self.enhancers = nn.ModuleList(
            LocalEnhancer(self.incoming, config.base_channels // 2**number, config.enhancer_blocks, norm)
            for number in range(1, config.enhancers + 1)
        )
        outermost = config.base_channels // 2**config.enhancers
        self.last = nn.Conv2d(outermost, config.output_channels, 7, padding=3, padding_mode="reflect")
        self.apply(init_pix2pix)

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        pyramid = [channels]
        for _ in self.enhancers:
            # pixels beyond the edge do not count
            pyramid.append(avg_pool2d(pyramid[-1], 3, stride=2, padding=1, count_include_pad=False))
        x = self.modulate(self.down(pyramid.pop()), guide)
        for block in self.blocks:
            x = block(x, guide)
        x = self.up(x)
        for enhancer in self.enhancers:
            x = enhancer(pyramid.pop(), x)
        return torch.tanh(self.last(x))


class LocalEnhancer(nn.Module):
    """Doubles the size of a coarser network's output (Wang et al. 2018, section 3.2).

    Args:
        incoming: channels of the condition.
        channels: channels after its first and last convolutions; the coarser network has twice as many.
        blocks: number of residual blocks.
        norm: normalization after convolutions.
    """

    def __init__(self, incoming: int, channels: int, blocks: int, norm: Norm) -> None:
        super().__init__()
        self.down = nn.Sequential(
            reflected_block(incoming, channels, 7, norm),
            reflected_block(channels, 2 * channels, 3, norm, stride=2),
        )
        self.blocks = nn.Sequential(*(ResidualBlock(2 * channels, norm) for _ in range(blocks)))
        self.up = doubling_block(2 * channels, channels, norm)

    def forward(self, condition: Tensor, coarse: Tensor) -> Tensor:
        """Return ``(B, channels, H, W)`` features.

        Args:
            condition: ``(B, incoming, H, W)``.
            coarse: last features of the coarser network, ``(B, 2 * channels, H / 2, W / 2)``.
        """
        features: Tensor = self.up(self.blocks(self.down(condition) + coarse))
        return features


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to their input (He et al. 2016).

    Args:
        channels: channels of the features.
        norm: normalization after both convolutions.
    """

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.first = reflected_block(channels, channels, 3, norm)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=norm == "none", padding_mode="reflect"),
            *norm_layers(norm, channels),
        )

    def forward(self, x: Tensor, guide: Guide | None = None) -> Tensor:
        """Return features of the same shape, with dropout between the convolutions if there is a guide."""
        inner = self.first(x)
        changed: Tensor = x + self.second(inner if guide is None else guide.drop(inner))
        return changed
