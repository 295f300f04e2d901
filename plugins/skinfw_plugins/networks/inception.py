"""The Inception-v3 network that FID and KID use."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import NoTrainInceptionV3

from skinfw.components.weights import find_weights
from skinfw_plugins.networks.published_files import INCEPTION

FEATURES = 2048
"""Number of features of the layer pool3 per image (Heusel et al. 2017, section 4; report, section 6.1.2)."""

METADATA = {
    "backbone": "Inception-v3 (2015-12-05), pool3, 2048 features",
    "resize": "to 299x299 pixels, bilinear as in TensorFlow 1 (torch-fidelity)",
}
"""Metadata of its features."""


class Inception(nn.Module):
    """Computes the features of images.

    Args:
        network: maps uint8 RGB ``(B, 3, H, W)`` to a tuple of features or ``(B, n)``.
        num_features: number of features per image.
    """

    def __init__(self, network: nn.Module, num_features: int) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.num_features = num_features

    def forward(self, images: Tensor) -> Tensor:
        """Return the features ``(B, num_features)`` of images, float ``(B, 3, H, W)`` in [0, 1]."""
        found = self.network((images * 255).round().to(torch.uint8))
        features: Tensor = found[0] if isinstance(found, tuple) else found
        return features


@cache
def extractor() -> Inception:
    """Return the network, loaded once per process.

    Raises:
        UserError: its weights are not available; see `skinfw.components.weights.find_weights`.
    """
    path = str(find_weights(INCEPTION))
    # torchmetrics would resize with antialiasing; published values come from TensorFlow 1, which does not
    network = NoTrainInceptionV3("inception-v3-compat", [str(FEATURES)], path, antialias=False)
    return Inception(network, FEATURES)
