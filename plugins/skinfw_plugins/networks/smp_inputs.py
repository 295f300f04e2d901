"""The values that pretrained encoders expect."""

from __future__ import annotations

import timm

from skinfw_plugins.networks.smp_config import BODYPIX_ENCODERS
from skinfw_plugins.shared.imagenet import IMAGENET_MEAN, IMAGENET_STD

Statistics = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of red, green and blue in [0, 1]."""

_FROM_MINUS_1_TO_1: Statistics = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
"""What BodyPix 2 expects."""


def input_statistics(encoder: str) -> Statistics:
    """Return the mean and the standard deviation by which an encoder's images were normalized in training.

    They are those of ImageNet unless timm or BodyPix knows others.

    Args:
        encoder: its name, as in a spec.

    Example:
        >>> input_statistics("tu-tf_efficientnet_lite0")
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    """
    if encoder in BODYPIX_ENCODERS:
        return _FROM_MINUS_1_TO_1
    own = timm.get_pretrained_cfg(encoder.removeprefix("tu-")) if encoder.startswith("tu-") else None
    return (IMAGENET_MEAN, IMAGENET_STD) if own is None else (tuple(own.mean), tuple(own.std))
