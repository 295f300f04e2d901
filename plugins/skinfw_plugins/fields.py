"""Field types that the configurations of several families share. Light: no torch."""

from typing import Literal

Norm = Literal["batch", "instance", "none"]
"""What follows a convolution: batch normalisation, instance normalisation, or nothing."""
