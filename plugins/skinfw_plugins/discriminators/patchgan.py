"""The PatchGAN of pix2pix."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, fold

from skinfw.interfaces import Discriminator, DiscriminatorIO, DiscriminatorOutput
from skinfw_plugins.discriminators.config import PatchGanConfig
from skinfw_plugins.networks.layers import init_pix2pix, norm_layers, norm_spectrally


class _ScoreConv2d(nn.Conv2d):
    """A convolution of stride 1 to one channel, as a product of matrices and a sum.

    Each place is multiplied by the whole kernel at once, and every score sums up what its places give. On a
    CPU, convolutions to one channel use the processor badly: this takes a fraction of their time.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Return scores, ``(B, 1, H', W')``, of values ``(B, C, H, W)``."""
        kernel, padding = self.kernel_size[0], int(self.padding[0])
        height, width = (length + 2 * padding - kernel + 1 for length in values.shape[2:])
        # fold adds backwards: what the kernel's last element gives comes first
        weight = self.weight.flip(2, 3).permute(2, 3, 1, 0).reshape(kernel**2, -1, 1, 1)
        products = conv2d(values, weight).flatten(2)
        scores = fold(products, (height, width), kernel, padding=kernel - 1 - padding)
        return scores if self.bias is None else scores + self.bias.view(1, -1, 1, 1)


class PatchGanDiscriminator(Discriminator[PatchGanConfig]):
    """Scores every patch of an image separately (Isola et al. 2017, section 6.1.2).

    n 4x4 convolutions of stride 2 and two of stride 1 see patches of ``9 * 2**n - 2`` pixels; for patch 1
    there are only 1x1 convolutions. Channels are 1, 2, 4, 8, 8, ... times ``base_channels``. The first and
    last convolutions have a bias and no normalization. With patch 142 and two conditioning images it is the
    network of the report's annex, layer by layer, except for the final sigmoid: it returns logits, and the
    loss applies the sigmoid where its gradient is exact. Images are padded with zeros and may be smaller than
    the patch.

    Args:
        config: the parameters of the network.
        io: the size and the channels of the condition.
    """

    def __init__(self, config: PatchGanConfig, io: DiscriminatorIO) -> None:
        super().__init__(config, io)
        halvings = config.halvings
        kernel, padding = (1, 0) if config.patch == 1 else (4, 1)
        levels = max(halvings, 1) + 1
        incoming = 3 + io.condition_channels
        layers: list[nn.Module] = []
        for level in range(levels):
            outgoing = config.base_channels * min(2**level, 8)
            stride = 2 if level < halvings else 1
            norm = norm_layers(config.norm, outgoing) if level else []
            layers.append(nn.Conv2d(incoming, outgoing, kernel, stride, padding, bias=not norm))
            layers.extend([*norm, nn.LeakyReLU(0.2, inplace=True)])
            incoming = outgoing
        layers.append(_ScoreConv2d(incoming, 1, kernel, 1, padding))
        self.layers = nn.Sequential(*layers)
        self.layers.apply(init_pix2pix)
        if config.spectral_norm:
            norm_spectrally(self.layers)

    @property
    def receptive_field(self) -> int:
        """Side in pixels of the square of the image that one logit depends on."""
        return self.config.patch

    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        """Score a batch; the features are the outputs of the activations. See `Discriminator.forward`."""
        seen = image if condition is None else torch.cat([image, condition], dim=1)
        values = seen * 2 - 1
        features = []
        for layer in self.layers:
            values = layer(values)
            if isinstance(layer, nn.LeakyReLU):
                features.append(values)
        return DiscriminatorOutput((values,), (tuple(features),))
