"""The two-dimensional Fourier transform of real features, also in exported graphs.

FFTs that were exported for one size fail at others, and ONNX Runtime computes them slower than matrix
products at the sizes of a network's innermost features.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def transformed(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the orthonormal transform of real features, without its mirrored half.

    Args:
        x: float32 or float64 ``(B, C, H, W)``.

    Returns:
        real and imaginary part, each ``(B, C, H, W // 2 + 1)``.
    """
    if torch.compiler.is_exporting():
        return matrix_transformed(x)
    spectrum = torch.fft.rfft2(x, norm="ortho")
    return spectrum.real, spectrum.imag


def transformed_back(real: Tensor, imaginary: Tensor, width: int) -> Tensor:
    """Return the inverse of `transformed`, ``(B, C, H, width)``."""
    if torch.compiler.is_exporting():
        return matrix_transformed_back(real, imaginary, width)
    spectrum = torch.complex(real.contiguous(), imaginary.contiguous())
    back: Tensor = torch.fft.irfft2(spectrum, s=(real.shape[-2], width), norm="ortho")
    return back


def matrix_transformed(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `transformed` returns, by matrix products."""
    height, width = x.shape[-2:]
    cosines, sines = _waves(width // 2 + 1, width, x)
    real, imaginary = x @ cosines.T, -(x @ sines.T)
    cosines, sines = _waves(height, height, x)
    return cosines @ real + sines @ imaginary, cosines @ imaginary - sines @ real


def matrix_transformed_back(real: Tensor, imaginary: Tensor, width: int) -> Tensor:
    """Return what `transformed_back` returns, by matrix products."""
    height, kept = real.shape[-2:]
    cosines, sines = _waves(height, height, real)
    real, imaginary = cosines @ real - sines @ imaginary, cosines @ imaginary + sines @ real
    frequencies = torch.arange(kept, device=real.device)
    # the mirrored half counts too; the mean and, of an even width, the highest frequency have no mirror image
    alone = (frequencies == 0) | (2 * frequencies == width)
    times = torch.where(alone, 1.0, 2.0).to(real.dtype)
    cosines, sines = _waves(kept, width, real)
    return (real * times) @ cosines - (imaginary * times) @ sines


def _waves(frequencies: int, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of each frequency at each place, ``(frequencies, length)``, orthonormal."""
    places = torch.arange(length, device=like.device)
    # as integers, so that high frequencies lose no digits
    steps = torch.remainder(places[:frequencies, None] * places, places[-1:] + 1)
    angles = steps.to(like.dtype) * (2 * math.pi / length)
    scale = 1 / torch.sqrt(torch.ones((), dtype=like.dtype, device=like.device) * length)
    return angles.cos() * scale, angles.sin() * scale
