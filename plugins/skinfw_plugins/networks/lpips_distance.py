"""Learned perceptual distance (LPIPS), shared by the loss and the metric."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import lpips
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from skinfw.assembly.without_data import without_data
from skinfw_plugins.networks.published_files import LPIPS_NETWORKS
from skinfw_plugins.networks.published_weights import Frozen, feature_tensors
from skinfw_plugins.shared.fields import LpipsNet

_VERSION = "0.1"


class LpipsDistance(nn.Module):
    """Perceptual distance by a network trained on ImageNet (Zhang et al. 2018, section 3, eq. 1).

    At each position of each layer the features of both images are normalized to length 1; their squared
    difference is weighted per channel, with weights learned from human judgments. It uses version 0.1 of the
    published weights.

    Args:
        net: which network.

    Raises:
        UserError: its weights are not available.
    """

    def __init__(self, net: LpipsNet) -> None:
        super().__init__()
        self.layers = Frozen(_LayerDistances(_published(net)))

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the distance of each image.

        Args:
            output: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            target: of the same shape; no gradient flows to it.

        Returns:
            ``(B,)``, at least 0.
        """
        maps = self.layers(output, target)
        return torch.stack([each.mean(dim=(1, 2, 3)) for each in maps]).sum(dim=0)

    def per_pixel(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the distance at each pixel, ``(B, 1, H, W)``: the layers' maps, upscaled to the image."""
        size = output.shape[-2:]
        maps = self.layers(output, target)
        scaled = [interpolate(each, size, mode="bilinear", align_corners=False) for each in maps]
        return torch.stack(scaled).sum(dim=0)


@cache
def shared_distance(net: LpipsNet) -> LpipsDistance:
    """Return a distance that is loaded once per process; metrics are built again for every validation.

    Raises:
        UserError: the weights of the network are not available.
    """
    return LpipsDistance(net)


class _LayerDistances(nn.Module):
    """The weighted distance at each position of each layer, ``(B, 1, h, w)``.

    Unlike the package's own ``forward`` it has a gradient where no feature is above 0.
    """

    network: Any

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, output: Tensor, target: Tensor) -> list[Tensor]:
        painted = self._features(output)
        with torch.no_grad():
            true = self._features(target)
        return [
            head((one - other).square())
            for head, one, other in zip(self.network.lins, painted, true, strict=True)
        ]

    def _features(self, images: Tensor) -> list[Tensor]:
        scaled = self.network.scaling_layer(images * 2 - 1)
        return [normalize(layer, dim=1) for layer in self.network.net(scaled)]


def _published(net: LpipsNet) -> nn.Module:
    """Return the package's network with its heads and the convolutions of torchvision."""
    with without_data(), warnings.catch_warnings():
        # without memory, as it builds torchvision's whole network, in a deprecated way
        warnings.simplefilter("ignore", UserWarning)
        network = lpips.LPIPS(pretrained=False, net=net, version=_VERSION, pnet_rand=True, verbose=False)
    published = feature_tensors(LPIPS_NETWORKS[net])
    # a layer's name is its slice, then its name in torchvision
    convolutions = {
        f"net.{name}": published[name.partition(".")[2]] for name, _ in network.net.named_parameters()
    }
    file = Path(lpips.__file__).parent / "weights" / f"v{_VERSION}" / f"{net}.pth"
    heads = torch.load(file, map_location="cpu", weights_only=True)
    network.load_state_dict({**convolutions, **heads}, strict=False, assign=True)
    built: nn.Module = network
    return built
