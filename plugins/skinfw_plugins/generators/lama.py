"""The generator of large-mask inpainting."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skinfw.interfaces import GeneratorIO
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide
from skinfw_plugins.generators.config_architectures import LamaConfig
from skinfw_plugins.generators.fourier import FourierBlock, FourierConv
from skinfw_plugins.networks.layers import doubling_block, norm_layers, reflected_block


class LamaGenerator(ConditionalGenerator[LamaConfig]):
    """A residual network of fast Fourier convolutions (Suvorov et al. 2022, section 2.1 and supplement).

    A 7x7 convolution, halvings, residual blocks with a local and a global branch, doublings, a 7x7
    convolution and tanh. Even its first block sees the whole image, which a large mask needs. The last
    halving creates the global branch; outside the blocks, convolutions are plain. The paper's mask is the
    input image ``segmentation_skin`` here; its losses are separate components.

    The color of the visible skin and dropout act on the innermost features, before the blocks.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input images.
    """

    def __init__(self, config: LamaConfig, io: GeneratorIO) -> None:
        widths = [config.base_channels * 2**level for level in range(config.downsamplings + 1)]
        inner, norm = widths[-1], config.norm
        super().__init__(config, io, inner)
        far = min(max(round(inner * config.global_ratio), 1), inner - 1)
        split = FourierConv(widths[-2], inner, global_in=0, global_out=far, norm=norm, stride=2)
        self.down = nn.Sequential(
            reflected_block(self.incoming, widths[0], 7, norm),
            *(reflected_block(width, 2 * width, 3, norm, stride=2) for width in widths[:-2]),
            nn.Sequential(split, *norm_layers(norm, inner), nn.ReLU()),
        )
        self.blocks = nn.Sequential(*(FourierBlock(inner, far, norm) for _ in range(config.blocks)))
        self.up = nn.Sequential(*(doubling_block(2 * width, width, norm) for width in widths[-2::-1]))
        self.last = nn.Conv2d(widths[0], config.output_channels, 7, padding=3, padding_mode="reflect")

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        x = guide.drop(self.modulate(self.down(channels), guide))
        return torch.tanh(self.last(self.up(self.blocks(x))))
