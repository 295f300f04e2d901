from __future__ import annotations

import pytest
import torch

from skinfw.system.devices import cuda_arithmetic


def flags() -> tuple[bool, bool, bool]:
    cudnn = torch.backends.cudnn
    return torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark


@pytest.mark.parametrize("chosen", [(True, True), (True, False), (False, True), (False, False)])
def test_products_are_rounded_as_asked_and_as_before_afterwards(chosen: tuple[bool, bool]) -> None:
    """The flags of CUDA can be set without a GPU."""
    tf32, benchmark = chosen
    before = flags()
    with (
        pytest.raises(ZeroDivisionError),
        cuda_arithmetic(torch.device("cuda"), tf32=tf32, benchmark=benchmark),
    ):
        assert flags() == (tf32, tf32, benchmark)
        _ = 1 / 0
    assert flags() == before


def test_other_devices_leave_them_alone() -> None:
    before = flags()
    with cuda_arithmetic(torch.device("cpu"), tf32=not before[0], benchmark=not before[2]):
        assert flags() == before
