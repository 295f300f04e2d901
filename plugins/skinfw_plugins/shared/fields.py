"""Field types that the configurations of several families share. Light: no torch."""

from typing import Annotated, Literal

from pydantic import Field

MAX_CHANNELS = 4096
"""Maximum number of channels after a network's first convolution: more than in any published one."""

MAX_BLOCKS = 100
"""Maximum number of blocks of a network."""

Norm = Literal["batch", "instance", "none"]
"""The normalization after a convolution: batch, instance, or none."""

SpectralNorm = Annotated[
    bool,
    Field(
        description="divide the weight of every convolution by its largest singular value, so that none "
        "amplifies its input (Miyato et al. 2018, section 2.1)"
    ),
]
"""Whether a network has spectral normalization."""

LpipsNet = Literal["alex", "vgg", "squeeze"]
"""The networks with published LPIPS weights: AlexNet, VGG-16, SqueezeNet 1.1."""

ImagenetEncoderName = Literal["mobilenet_v2", "efficientnet_lite0"]
"""The small encoders trained on ImageNet whose features are compared."""

MS_SSIM_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weight of each scale of MS-SSIM, finest first (Wang et al. 2003, section 3.2)."""


MsSsimScales = Annotated[
    int,
    Field(
        ge=1,
        le=5,
        description="scales, each half the size of the one before; images need more than "
        "10 * 2**(scales - 1) pixels per side, 160 for five (paper: 5)",
    ),
]
"""The number of scales of MS-SSIM."""


def ms_ssim_min_side(scales: int) -> int:
    """Return the minimum height and width in pixels for a window of 11 on the coarsest scale."""
    return 10 * (1 << (scales - 1)) + 1


LPIPS_MIN_SIDE: dict[LpipsNet, int] = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Minimum height and width in pixels for a network's last layer."""
