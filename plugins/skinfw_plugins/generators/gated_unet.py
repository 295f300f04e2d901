"""The coarse network of free-form inpainting with gated convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate

from skinfw.interfaces import GeneratorIO
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide
from skinfw_plugins.generators.config_architectures import GatedUnetConfig


class GatedUnetGenerator(ConditionalGenerator[GatedUnetConfig]):
    """A gated encoder, dilated convolutions and decoder (Yu et al. 2019, section 3).

    It is the first, coarse network of the paper, with the layers of the authors' code: a 5x5 convolution;
    two 3x3 ones at each halving, the first of stride 2; one more, the dilated ones and two more at the
    innermost size; at each doubling a nearest-neighbor resize and two; a plain 3x3 convolution and tanh. No
    normalization. It omits the refinement network with contextual attention and the discriminator. The skip
    connections of `GatedUnetConfig.skips` are not in the paper. The paper's network receives the inpainting
    mask; here that is the input image ``segmentation_skin``.

    The color of the visible skin and dropout act on the innermost features, before the dilated middle.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input images.
    """

    def __init__(self, config: GatedUnetConfig, io: GeneratorIO) -> None:
        widths = [config.base_channels * 2**level for level in range(config.downsamplings + 1)]
        inner = widths[-1]
        super().__init__(config, io, inner)
        self.down = nn.ModuleList([GatedConv(self.incoming, widths[0], 5)])
        for width in widths[:-1]:
            halve = GatedConv(width, 2 * width, 3, stride=2)
            self.down.append(nn.Sequential(halve, GatedConv(2 * width, 2 * width, 3)))
        dilations = (1, *config.dilations, 1, 1)
        self.middle = nn.Sequential(*(GatedConv(inner, inner, 3, dilation=step) for step in dilations))
        self.up = nn.ModuleList()
        for level in range(config.downsamplings - 1, -1, -1):
            width = widths[level]
            self.up.append(Doubling(2 * width, width, width if level else width // 2, config.skips))
        self.last = nn.Conv2d(config.base_channels // 2, config.output_channels, 3, padding=1)

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        x = channels
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.middle(guide.drop(self.modulate(skips.pop(), guide)))
        for block in self.up:
            x = block(x, skips.pop())
        return torch.tanh(self.last(x))


class Doubling(nn.Module):
    """Doubles the size by repeating pixels; two gated convolutions follow.

    Args:
        incoming: input channels.
        channels: channels of the encoder's features at the new size, and between the convolutions.
        outgoing: output channels.
        skip: whether the second convolution gets the encoder's features too.
    """

    def __init__(self, incoming: int, channels: int, outgoing: int, skip: bool) -> None:
        super().__init__()
        self.skip = skip
        self.first = GatedConv(incoming, channels, 3)
        self.second = GatedConv(2 * channels if skip else channels, outgoing, 3)

    def forward(self, x: Tensor, encoded: Tensor) -> Tensor:
        """Return ``(B, outgoing, 2h, 2w)`` features.

        Args:
            x: ``(B, incoming, h, w)``.
            encoded: the encoder's features, ``(B, channels, 2h, 2w)``.
        """
        x = self.first(interpolate(x, scale_factor=2.0, mode="nearest"))
        features: Tensor = self.second(torch.cat([x, encoded], dim=1) if self.skip else x)
        return features


class GatedConv(nn.Module):
    """A convolution whose features are gated by a second one (Yu et al. 2019, section 3.1).

    It returns the product of features after ELU and gates after the sigmoid, at the input's size divided by
    the stride, with zero padding. Weights are initialized to keep the scale of features although gates halve
    it: without normalization they would fade from layer to layer.

    Args:
        incoming: input channels.
        outgoing: output channels.
        kernel: side of the kernel, odd.
        stride: 1, or 2 to halve the size.
        dilation: step between the kernel's pixels.
    """

    def __init__(
        self, incoming: int, outgoing: int, kernel: int, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        # features and gates in one convolution: one pass over the input
        self.both = nn.Conv2d(incoming, 2 * outgoing, kernel, stride, padding, dilation)
        nn.init.kaiming_normal_(self.both.weight, nonlinearity="relu")
        with torch.no_grad():
            self.both.weight[:outgoing].mul_(2.0)
            self.both.weight[outgoing:].mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, outgoing, H / stride, W / stride)`` features."""
        features, gates = self.both(x).chunk(2, dim=1)
        return elu(features) * torch.sigmoid(gates)
