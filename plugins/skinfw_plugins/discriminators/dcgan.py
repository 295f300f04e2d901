"""DCGAN's discriminator: one logit for a whole image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skinfw.interfaces import Discriminator, DiscriminatorIO, DiscriminatorOutput
from skinfw_plugins.discriminators.config import DcganDiscriminatorConfig
from skinfw_plugins.networks.layers import init_pix2pix, norm_layers, norm_spectrally


class DcganDiscriminator(Discriminator[DcganDiscriminatorConfig]):
    """Scores an image as a whole (Radford et al. 2016, section 3; the report's section 5.2.2).

    It mirrors the generator: 4x4 convolutions of stride 2 halve the image down to the seed, and one as large
    as the seed reduces it to one logit, ``(B, 1, 1, 1)``. Normalization follows all but the first and
    last, LeakyReLU all but the last; the outputs are its features. There is no sigmoid: the loss applies
    it where its gradient is exact.

    Args:
        config: the parameters of the network.
        io: the size, which is fixed, and the channels of the condition.
    """

    def __init__(self, config: DcganDiscriminatorConfig, io: DiscriminatorIO) -> None:
        super().__init__(config, io)
        self.down = nn.ModuleList()
        incoming = 3 + io.condition_channels
        for level, outgoing in enumerate(config.channels(io.size)):
            norm = norm_layers(config.norm, outgoing) if level else []
            convolution = nn.Conv2d(incoming, outgoing, 4, stride=2, padding=1, bias=not norm)
            self.down.append(nn.Sequential(convolution, *norm, nn.LeakyReLU(0.2, inplace=True)))
            incoming = outgoing
        self.last = nn.Conv2d(incoming, 1, config.seed(io.size))
        self.apply(init_pix2pix)
        if config.spectral_norm:
            norm_spectrally(self)

    @property
    def receptive_field(self) -> int:
        """Side in pixels of the square that the logit depends on; it extends beyond the image's edges.

        For a non-square image, it is that of the longer side.
        """
        stride: int = 2 ** self.config.halvings(self.io.size)
        # the convolutions of stride 2 see 3 * stride - 2 pixels; the last one covers the whole seed
        return (max(self.config.seed(self.io.size)) + 2) * stride - 2

    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        """Score a batch. See `Discriminator.forward`."""
        x = (image if condition is None else torch.cat([image, condition], dim=1)) * 2 - 1
        features: list[Tensor] = []
        for block in self.down:
            x = block(x)
            features.append(x)
        return DiscriminatorOutput((self.last(x),), (tuple(features),))
