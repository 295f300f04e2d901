"""Kernel distance in the features of a small encoder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from torch import Tensor, nn
from torch.nn.functional import interpolate

from skinfw_plugins.metrics.config import KernelDistanceConfig
from skinfw_plugins.metrics.kernel import KernelMetric
from skinfw_plugins.networks.imagenet_encoders import TITLES, ImagenetEncoder
from skinfw_plugins.shared.fields import ImagenetEncoderName

SIDE = 224
"""Height and width in pixels of the images that the encoders were trained on."""


class KernelDistanceMetric(KernelMetric[KernelDistanceConfig]):
    """Squared maximum mean discrepancy of an encoder's features of generated and real images.

    It is computed like the kernel inception distance, but on the features of a small encoder trained on
    ImageNet, averaged over the image, so it is not comparable with values of KID. The kernel is ``(x y / n +
    1)**3`` on the n features, the estimate unbiased (Binkowski et al. 2018, section 4): few images make it
    uncertain, not larger. 0 is best; by chance it may be negative. With more images than ``subset_size`` it
    is the mean over random subsets, the same ones each time.
    """

    def extractor(self) -> nn.Module:
        """Return the encoder with the mean of its last features."""
        return pooled_encoder(self.config.net)

    def metadata(self) -> Mapping[str, str]:
        """Return the network, how images are resized, and how many each estimate uses."""
        return {
            "backbone": f"{TITLES[self.config.net]}, pooled, 1280 features",
            "resize": f"to {SIDE}x{SIDE} pixels, bilinear with antialiasing",
            "estimate": self.estimate(),
        }


class PooledEncoder(nn.Module):
    """The last features of an encoder, averaged over the image.

    Args:
        encoder: returns features at several sizes, the last one last.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Return the features ``(B, n)`` of images, float ``(B, 3, H, W)`` in [0, 1]."""
        resized = interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)
        features: Tensor = self.encoder(resized.clamp(0, 1))[-1].mean(dim=(2, 3))
        return features


@cache
def pooled_encoder(net: ImagenetEncoderName) -> PooledEncoder:
    """Return an encoder that is loaded once per process; metrics are built again for every validation.

    Raises:
        UserError: its weights are not available.
    """
    return PooledEncoder(ImagenetEncoder(net))
