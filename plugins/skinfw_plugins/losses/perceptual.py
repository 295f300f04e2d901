"""Difference from the target in the features of VGG."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from skinfw.assembly.without_data import without_data
from skinfw.interfaces import Loss, LossContext, LossIO
from skinfw_plugins.losses.config import PerceptualConfig
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.networks.published_weights import Frozen, feature_tensors
from skinfw_plugins.shared.imagenet import IMAGENET_MEAN, IMAGENET_STD


class PerceptualLoss(Loss[PerceptualConfig]):
    """Mean difference of features of a VGG trained on ImageNet (Johnson et al. 2016, section 3.2, eq. 2).

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
        places = config.places
        with without_data():  # without memory, as only the convolutions up to the last layer are needed
            layers = getattr(torchvision.models, config.net)(weights=None).features[: max(places) + 1]
        layers.load_state_dict(
            {
                name: tensor
                for name, tensor in feature_tensors(config.net).items()
                if name in layers.state_dict()
            },
            assign=True,
        )
        self.features = Frozen(_Features(layers, places))
        # each pooling is a separate layer
        halving = [isinstance(each, nn.MaxPool2d) for each in layers]
        self.halvings = [sum(halving[: place + 1]) for place in sorted(places)]

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return, for each layer, the sum over its positions of the fractions inside, ``(layers,)``."""
        if region is None:
            return None
        height, width = region.shape[2:]
        sizes = [(height >> halvings, width >> halvings) for halvings in self.halvings]
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


class _Features(nn.Module):
    """The outputs of some of a network's layers, for RGB images in [0, 1]."""

    mean: Tensor
    std: Tensor

    def __init__(self, layers: nn.Sequential, places: Sequence[int]) -> None:
        super().__init__()
        self.layers = layers
        self.places = places
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        values = (images - self.mean) / self.std
        found = []
        for place, layer in enumerate(self.layers):
            values = layer(values)
            if place in self.places:
                found.append(values)
        return found
