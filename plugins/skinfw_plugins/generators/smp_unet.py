"""Decoders of segmentation-models-pytorch on pretrained encoders."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.interfaces import GeneratorIO
from skinfw.specs.data_spec import DataSpec
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide, incoming_channels
from skinfw_plugins.generators.config_architectures import SmpUnetConfig
from skinfw_plugins.networks.smp import build_network, encode, padded
from skinfw_plugins.networks.smp_weights import load_pretrained

_NAME = "smp_unet"


class SmpUnetGenerator(ConditionalGenerator[SmpUnetConfig]):
    """A decoder of segmentation-models-pytorch on an encoder of that library, timm or BodyPix 2.

    The decoder's output is followed by tanh. Images are padded to the encoder's stride, at the
    right and below, by repeating their edge, and cropped back. The color of the visible skin and dropout act
    on the encoder's innermost features; the decoders' own dropout is off. The pooled branch of DeepLabV3+ is
    normalized over channels: a batch of one has no statistics for it. Encoder layers that the decoder does
    not use are frozen.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input images.

    Raises:
        UserError: the encoder is unknown or incompatible with the decoder or the size.
    """

    def __init__(self, config: SmpUnetConfig, io: GeneratorIO) -> None:
        incoming = incoming_channels(config, io)
        network = build_network(_NAME, config, io.size, incoming, config.output_channels)
        super().__init__(config, io, network.encoder.out_channels[-1])
        self.network = network
        self.pads_to = int(network.encoder.output_stride)

    def prepare_training(self, data: DataSpec) -> None:
        """Load the encoder's weights, see `skinfw_plugins.networks.smp_weights.load_pretrained`."""
        load_pretrained(_NAME, self.config, self.network, self.incoming)

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        height, width = channels.shape[-2:]
        features = encode(_NAME, self.config, self.network, padded(channels, self.pads_to))
        features[-1] = guide.drop(self.modulate(features[-1], guide))
        output: Tensor = self.network.segmentation_head(self.network.decoder(features))
        return torch.tanh(output[..., :height, :width])
