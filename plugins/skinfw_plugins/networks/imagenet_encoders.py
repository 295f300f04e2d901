"""Small encoders trained on ImageNet, whose features losses and metrics compare."""

from __future__ import annotations

import timm
import torchvision
from torch import Tensor, nn

from skinfw.assembly.without_data import without_data
from skinfw.components.weights import load_weights
from skinfw_plugins.networks.layers import ImagenetInput
from skinfw_plugins.networks.published_files import EFFICIENTNET_LITE0
from skinfw_plugins.networks.published_weights import Frozen, feature_tensors
from skinfw_plugins.shared.fields import ImagenetEncoderName

_STAGE_ENDS = (1, 3, 6, 13, 18)
"""The last layer of MobileNetV2 at each size, halved five times (Sandler et al. 2018, table 2)."""

TITLES: dict[ImagenetEncoderName, str] = {
    "mobilenet_v2": "MobileNetV2 (torchvision, ImageNet)",
    "efficientnet_lite0": "EfficientNet-Lite0 (timm, ImageNet)",
}
"""What metadata call the networks."""


class ImagenetEncoder(nn.Module):
    """Computes the features of RGB images in [0, 1] at five sizes, each half the size before, rounded up.

    It is frozen and in no state dict.

    Args:
        name: which network.

    Raises:
        UserError: its weights are not available; see `skinfw.components.weights.find_weights`.
    """

    def __init__(self, name: ImagenetEncoderName) -> None:
        super().__init__()
        self.network = Frozen(_MobileNet() if name == "mobilenet_v2" else _EfficientNet())

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features of images, float ``(B, 3, H, W)``: five tensors ``(B, n, h, w)``.

        The last one is what the network classifies, after pooling: 1280 features.
        """
        stages: list[Tensor] = self.network(images)
        return stages


class _MobileNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with without_data():
            self.layers = torchvision.models.mobilenet_v2(weights=None).features
        self.layers.load_state_dict(feature_tensors("mobilenet_v2"), assign=True)
        self.input = ImagenetInput()

    def forward(self, images: Tensor) -> list[Tensor]:
        values, stages = self.input(images), []
        for place, layer in enumerate(self.layers):
            values = layer(values)
            if place in _STAGE_ENDS:
                stages.append(values)
        return stages


class _EfficientNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with without_data():
            self.network = timm.create_model("tf_efficientnet_lite0", num_classes=0)
        known = self.network.state_dict()
        tensors = load_weights(EFFICIENTNET_LITE0)
        self.network.load_state_dict(
            {name: tensor for name, tensor in tensors.items() if name in known}, assign=True
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        # it was trained on values from -1 to 1
        final, stages = self.network.forward_intermediates(2 * images - 1, norm=True)
        return [*stages[:-1], final]
