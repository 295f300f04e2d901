from __future__ import annotations

import numpy as np
import pytest
import torch

from skinfw_plugins.networks.transform import (
    matrix_transformed,
    matrix_transformed_back,
    transformed,
    transformed_back,
)


@pytest.mark.parametrize("size", [(8, 8), (6, 10), (5, 7), (1, 2), (51, 67)])
def test_matrix_products_are_numpys_transforms(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = np.fft.rfft2(x.numpy(), norm="ortho")
    for real, imaginary in (matrix_transformed(x), transformed(x)):
        assert np.allclose(real, expected.real, atol=1e-5)
        assert np.allclose(imaginary, expected.imag, atol=1e-5)
    # parts that no real image has, as a network returns them
    real, imaginary = real + 1, imaginary + 0.5
    expected = np.fft.irfft2(real.numpy() + 1j * imaginary.numpy(), s=size, norm="ortho")
    for back in (matrix_transformed_back, transformed_back):
        assert np.allclose(back(real, imaginary, size[1]), expected, atol=2e-5)
