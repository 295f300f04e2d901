"""PatchGANs on several scales of the image."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from skinfw.interfaces import Discriminator, DiscriminatorIO, DiscriminatorOutput
from skinfw_plugins.discriminators.config import MultiscaleConfig
from skinfw_plugins.discriminators.patchgan import PatchGanDiscriminator


class MultiscaleDiscriminator(Discriminator[MultiscaleConfig]):
    """Scores the image at full, half and quarter size (Wang et al. 2018, section 3.2).

    The PatchGANs have the same architecture but separate weights. The coarse ones score the whole, the fine
    ones the detail. Image and condition are halved by averaging 3x3 pixels around every second pixel,
    ignoring pixels beyond the edge. Each scale has its logits and features.

    Args:
        config: the parameters of the networks.
        io: the size and the channels of the condition.
    """

    def __init__(self, config: MultiscaleConfig, io: DiscriminatorIO) -> None:
        super().__init__(config, io)
        self.networks = nn.ModuleList()
        for scale in range(config.scales):
            height, width = (-(-side // 2**scale) for side in io.size)
            self.networks.append(PatchGanDiscriminator(config, replace(io, size=(height, width))))

    @property
    def receptive_field(self) -> int:
        """Side in pixels of the square of the image that one logit of the finest scale depends on."""
        return self.config.patch

    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        """Score a batch on each scale. See `Discriminator.forward`."""
        outputs: list[DiscriminatorOutput] = []
        for network in self.networks:
            if outputs:
                image = _halve(image)
                condition = None if condition is None else _halve(condition)
            outputs.append(network(image, condition))
        return DiscriminatorOutput(
            tuple(logits for each in outputs for logits in each.logits),
            tuple(features for each in outputs for features in each.features),
        )


def _halve(images: Tensor) -> Tensor:
    return avg_pool2d(images, kernel_size=3, stride=2, padding=1, count_include_pad=False)
