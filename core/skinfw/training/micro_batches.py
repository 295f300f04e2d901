"""Makes a step over several batches equal to a step over one large batch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import _SpectralNorm

logger = logging.getLogger("skinfw")


class SameStart:
    """Starts each batch of a step with the same estimates of spectral normalization.

    The estimate is updated in every training pass. Without this, more batches per step would mean more
    updates than with one large batch.

    Args:
        networks: networks before the first batch of a step.
    """

    def __init__(self, *networks: nn.Module) -> None:
        vectors = [
            vector
            for network in networks
            for module in network.modules()
            if isinstance(module, _SpectralNorm)
            for vector in module.buffers(recurse=False)
        ]
        self._saved = [(vector, vector.clone()) for vector in vectors]

    @torch.no_grad()
    def again(self) -> None:
        """Restore the initial estimates."""
        for vector, saved in self._saved:
            vector.copy_(saved)


class Buffers:
    """A snapshot of a network's buffers.

    Args:
        network: the network.
    """

    def __init__(self, network: nn.Module) -> None:
        self._saved = [(buffer, buffer.clone()) for buffer in network.buffers()]

    @torch.no_grad()
    def restore(self) -> None:
        """Restore them, for example after a second pass over images already in the statistics."""
        for buffer, saved in self._saved:
            buffer.copy_(saved)


def mean_counts(counts: Sequence[Tensor], accelerator: Accelerator) -> Tensor:
    """Return divisors for the sums of each batch that make the mean over the batches correct.

    Args:
        counts: the counts in each batch of this process, of equal shape.
        accelerator: connects to the other processes.

    Returns:
        the counts over all batches of all processes, divided by the number of these batches; a total of 1 if
        nothing was counted.
    """
    total: Tensor = accelerator.reduce(torch.stack(list(counts)).sum(dim=0), "sum")
    batches: int = len(counts) * accelerator.num_processes
    return torch.where(total > 0, total, 1) / batches


def warn_of_batch_statistics(networks: Iterable[nn.Module], batches: int, accelerator: Accelerator) -> None:
    """Warn if a step over several batches differs slightly from a step over one large batch.

    Args:
        networks: the networks in training.
        batches: batches per step.
        accelerator: only its main process warns.
    """
    mixed = any(isinstance(module, _BatchNorm) for network in networks for module in network.modules())
    if batches > 1 and mixed and accelerator.is_main_process:
        logger.warning(
            "training.gradient_accumulation: batch normalization computes its statistics per batch, so a "
            "step over %d batches differs slightly from one large batch; networks with a norm parameter "
            'avoid this by "norm": "instance"',
            batches,
        )
