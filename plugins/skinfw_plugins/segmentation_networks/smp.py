"""Any segmentation network of segmentation-models-pytorch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import dropout2d

from skinfw.interfaces import SegmentationNetwork, SegmentationNetworkIO
from skinfw_plugins.networks.smp import build_network, encode, padded
from skinfw_plugins.networks.smp_inputs import input_statistics
from skinfw_plugins.networks.smp_weights import load_pretrained
from skinfw_plugins.segmentation_networks.config import SmpNetworkConfig

_NAME = "smp"
_INCOMING = 3


class SmpNetwork(SegmentationNetwork[SmpNetworkConfig]):
    """A decoder of segmentation-models-pytorch on an encoder of that library, timm or BodyPix 2.

    Images are padded to the encoder's stride, at the right and below, by repeating their edge, and the
    logits are cropped back. See `skinfw_plugins.networks.smp.build_network` for differences from the
    library's networks.

    Args:
        config: the parameters of the network.
        io: the size of the images and the number of classes.

    Raises:
        UserError: the encoder is unknown or incompatible with the decoder or the size.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: SmpNetworkConfig, io: SegmentationNetworkIO) -> None:
        super().__init__(config, io)
        self.network = build_network(_NAME, config, io.size, _INCOMING, io.classes)
        self.pads_to = int(self.network.encoder.output_stride)
        for name, values in zip(("mean", "deviation"), input_statistics(config.encoder), strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, _INCOMING, 1, 1), persistent=False)

    def prepare_training(self) -> None:
        """Load the encoder's weights, see `skinfw_plugins.networks.smp_weights.load_pretrained`."""
        load_pretrained(_NAME, self.config, self.network, _INCOMING)

    def forward(self, image: Tensor) -> Tensor:
        """Segment a batch. See `SegmentationNetwork.forward`."""
        height, width = image.shape[-2:]
        normal = (image - self.mean) / self.deviation
        features = encode(_NAME, self.config, self.network, padded(normal, self.pads_to))
        features[-1] = dropout2d(features[-1], self.config.dropout, self.training)
        logits: Tensor = self.network.segmentation_head(self.network.decoder(features))
        return logits[..., :height, :width]
