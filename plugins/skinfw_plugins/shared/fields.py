"""Field types that the configurations of several families share. Light: no torch."""

from typing import Annotated, Literal

from pydantic import Field

MAX_CHANNELS = 4096
"""Channels after the first convolution of a network, at most: more than any that was published."""

MAX_BLOCKS = 100
"""Blocks of a network, at most."""

Norm = Literal["batch", "instance", "none"]
"""What follows a convolution: batch normalization, instance normalization, or nothing."""

SpectralNorm = Annotated[
    bool,
    Field(
        description="divide the weight of every convolution by its largest singular value, so that none can "
        "stretch its input (Miyato et al. 2018, section 2.1)"
    ),
]
"""Whether a network has spectral normalization."""

LpipsNet = Literal["alex", "vgg", "squeeze"]
"""The networks that LPIPS is published for: AlexNet, VGG-16, SqueezeNet 1.1."""

MS_SSIM_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""How much each scale of MS-SSIM counts, the finest first (Wang et al. 2003, section 3.2)."""


MsSsimScales = Annotated[
    int,
    Field(
        ge=1,
        le=5,
        description="scales, each half the size of the one before; images need more than "
        "10 * 2**(scales - 1) pixels a side, 160 for five (paper: 5)",
    ),
]
"""How many scales MS-SSIM looks at."""


def ms_ssim_min_side(scales: int) -> int:
    """Return the height and width in pixels from which on the coarsest scale holds a window of 11."""
    return 10 * (1 << (scales - 1)) + 1


LPIPS_MIN_SIDE: dict[LpipsNet, int] = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Height and width in pixels below which a network's last layer sees nothing."""
