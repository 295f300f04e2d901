"""Field types that the configurations of several families share. Light: no torch."""

from typing import Annotated, Literal

from pydantic import Field

Norm = Literal["batch", "instance", "none"]
"""What follows a convolution: batch normalisation, instance normalisation, or nothing."""

SpectralNorm = Annotated[
    bool,
    Field(
        description="divide the weight of every convolution by its largest singular value, so that none can "
        "stretch its input (Miyato et al. 2018, section 2.1)"
    ),
]
"""Whether a network has spectral normalisation."""

LpipsNet = Literal["alex", "vgg", "squeeze"]
"""The networks that LPIPS is published for: AlexNet, VGG-16, SqueezeNet 1.1."""

LPIPS_LEAST_SIDE: dict[LpipsNet, int] = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Height and width in pixels below which a network's last layer sees nothing."""
