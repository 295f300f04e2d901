"""Building blocks of several families of networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from skinfw_plugins.shared.fields import Norm
from skinfw_plugins.shared.imagenet import IMAGENET_MEAN, IMAGENET_STD


class ImagenetInput(nn.Module):
    """Normalizes RGB images in [0, 1] by ImageNet's mean and standard deviation."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's input, of the images' shape ``(B, 3, H, W)``."""
        return (images - self.mean) / self.std


def norm_layers(norm: Norm, channels: int) -> list[nn.Module]:
    """Return the normalization that follows a convolution, as a list of zero or one layers.

    Both kinds have a learned scale and shift, so a convolution before one needs no bias.
    """
    if norm == "batch":
        return [nn.BatchNorm2d(channels)]
    if norm == "instance":
        return [nn.InstanceNorm2d(channels, affine=True)]
    return []


def init_pix2pix(module: nn.Module) -> None:
    """Initialize one module as the pix2pix paper does (Isola et al. 2017, section 6.2).

    Weights of convolutions are drawn from N(0, 0.02), the scale of a normalization from N(1, 0.02); biases
    and shifts are 0. For ``network.apply(init_pix2pix)``.
    """
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def norm_spectrally(network: nn.Module) -> None:
    """Put spectral normalization on every convolution of a network (Miyato et al. 2018, section 2.1).

    In training, each pass estimates a weight's largest singular value by one step of the power method; at
    inference the estimate is fixed. Call it after initializing the weights, from which the estimate starts.
    """
    for module in list(network.modules()):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            spectral_norm(module)


def reflected_block(incoming: int, outgoing: int, kernel: int, norm: Norm, stride: int = 1) -> nn.Sequential:
    """Return a convolution, its normalization and ReLU, with mirror padding.

    Args:
        incoming: input channels.
        outgoing: output channels.
        kernel: side of the convolution's kernel, odd.
        norm: the normalization.
        stride: 1, or 2 to halve the size.
    """
    convolution = nn.Conv2d(
        incoming, outgoing, kernel, stride, kernel // 2, bias=norm == "none", padding_mode="reflect"
    )
    return nn.Sequential(convolution, *norm_layers(norm, outgoing), nn.ReLU())


def doubling_block(incoming: int, outgoing: int, norm: Norm) -> nn.Sequential:
    """Return a transposed 3x3 convolution that doubles the size, its normalization and ReLU."""
    convolution = nn.ConvTranspose2d(
        incoming, outgoing, 3, stride=2, padding=1, output_padding=1, bias=norm == "none"
    )
    return nn.Sequential(convolution, *norm_layers(norm, outgoing), nn.ReLU())
