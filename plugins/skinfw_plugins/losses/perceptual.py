"""Difference from the target in the features of a network trained on ImageNet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from skinfw.assembly.without_data import without_data
from skinfw.components.config import Size
from skinfw.interfaces import Loss, LossContext, LossIO
from skinfw_plugins.losses.config import PerceptualConfig
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.networks.imagenet_encoders import ImagenetEncoder
from skinfw_plugins.networks.layers import ImagenetInput
from skinfw_plugins.networks.published_weights import Frozen, feature_tensors
from skinfw_plugins.shared.fields import ImagenetEncoderName


class PerceptualLoss(Loss[PerceptualConfig]):
    """Mean difference of features of a network trained on ImageNet (Johnson et al. 2016, section 3.2, eq. 2).

    It is the mean over the chosen layers. Over a region, each position of a layer is weighted by the fraction
    of it that is inside. The network is never trained.

    Args:
        config: network, layers, and how differences are measured.
        io: the size of the images.

    Raises:
        UserError: the network's weights are not available; the message names file, location and SHA-256.
    """

    def __init__(self, config: PerceptualConfig, io: LossIO) -> None:
        super().__init__(config, io)
        if config.net == "vgg16" or config.net == "vgg19":
            self.features = Frozen(_VggFeatures(config.net, config.places))
        else:
            self.features = Frozen(_Stages(config.net, config.places))

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return, for each layer, the sum over its positions of the fractions inside, ``(layers,)``."""
        if region is None:
            return None
        sizes = self.features.network.sizes((region.shape[2], region.shape[3]))
        return torch.stack([adaptive_avg_pool2d(region, size).sum() for size in sizes])

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean difference, a scalar of at least 0; 0 where the region is empty."""
        output = self.features(context.output)
        with torch.no_grad():
            true = self.features(context.target)
        values = [self._differences(one, other) for one, other in zip(output, true, strict=True)]
        region = self.region(context)
        if region is None:
            return torch.stack([each.mean() for each in values]).mean()
        sums = [
            (
                each.mean(dim=1, keepdim=True) * adaptive_avg_pool2d(region, (each.shape[2], each.shape[3]))
            ).sum()
            for each in values
        ]
        return (torch.stack(sums) / self.denominator(context)).mean()

    def _differences(self, one: Tensor, other: Tensor) -> Tensor:
        difference = one - other
        return difference.abs() if self.config.distance == "l1" else difference.square()


class _VggFeatures(nn.Module):
    """The outputs of some of a VGG's layers, for RGB images in [0, 1].

    Args:
        net: the name of a VGG in torchvision.
        places: the layers' places among its ``features``.
    """

    def __init__(self, net: str, places: Sequence[int]) -> None:
        super().__init__()
        with without_data():  # without memory, as only the convolutions up to the last layer are needed
            self.layers = getattr(torchvision.models, net)(weights=None).features[: max(places) + 1]
        known = self.layers.state_dict()
        tensors = {name: tensor for name, tensor in feature_tensors(net).items() if name in known}
        self.layers.load_state_dict(tensors, assign=True)
        self.input = ImagenetInput()
        self.places = places

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the outputs in the order of the layers."""
        values = self.input(images)
        found = []
        for place, layer in enumerate(self.layers):
            values = layer(values)
            if place in self.places:
                found.append(values)
        return found

    def sizes(self, size: Size) -> list[Size]:
        """Return height and width of each output, for images of a size."""
        # each pooling is a separate layer
        halving = [isinstance(each, nn.MaxPool2d) for each in self.layers]
        halvings = [sum(halving[: place + 1]) for place in sorted(self.places)]
        return [(size[0] >> times, size[1] >> times) for times in halvings]


class _Stages(nn.Module):
    """Some of an encoder's stages, for RGB images in [0, 1].

    Args:
        net: the encoder.
        places: the stages' indices.
    """

    def __init__(self, net: ImagenetEncoderName, places: Sequence[int]) -> None:
        super().__init__()
        self.encoder = ImagenetEncoder(net)
        self.places = sorted(places)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the stages from the finest to the coarsest."""
        stages = self.encoder(images)
        return [stages[place] for place in self.places]

    def sizes(self, size: Size) -> list[Size]:
        """Return height and width of each stage, for images of a size."""
        return [(-(-size[0] >> place + 1), -(-size[1] >> place + 1)) for place in self.places]
