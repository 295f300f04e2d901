"""What makes a step over several batches the step over one large batch."""

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
    """Begins each batch of a step with the same estimates of spectral normalization.

    The estimate moves with every pass in training. Without this, more batches to a step would mean more moves
    than a large batch makes.

    Args:
        networks: networks that are about to see the first batch of a step.
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
        """Go back to the estimates of the beginning."""
        for vector, saved in self._saved:
            vector.copy_(saved)


class Buffers:
    """The buffers of a network at one time.

    Args:
        network: the network.
    """

    def __init__(self, network: nn.Module) -> None:
        self._saved = [(buffer, buffer.clone()) for buffer in network.buffers()]

    @torch.no_grad()
    def restore(self) -> None:
        """Put them back, for instance after a second pass over images that statistics count already."""
        for buffer, saved in self._saved:
            buffer.copy_(saved)


def mean_counts(counts: Sequence[Tensor], accelerator: Accelerator) -> Tensor:
    """Return counts that sums of each batch are divided by so that the mean over the batches is right.

    Args:
        counts: what was counted in each batch of this process, of one shape.
        accelerator: knows the other processes.

    Returns:
        the counts over all batches of all processes, divided by the number of these batches; where nothing
        was counted, of the total 1.
    """
    total: Tensor = accelerator.reduce(torch.stack(list(counts)).sum(dim=0), "sum")
    batches: int = len(counts) * accelerator.num_processes
    return torch.where(total > 0, total, 1) / batches


def warn_of_batch_statistics(networks: Iterable[nn.Module], batches: int, accelerator: Accelerator) -> None:
    """Warn where a step over several batches is not quite that of a large batch.

    Args:
        networks: the networks in training.
        batches: batches to a step.
        accelerator: only its main process warns.
    """
    mixed = any(isinstance(module, _BatchNorm) for network in networks for module in network.modules())
    if batches > 1 and mixed and accelerator.is_main_process:
        logger.warning(
            "training.gradient_accumulation: batch normalization takes its statistics of each batch, so a "
            'step over %d batches is not exactly that of one large batch; "norm": "instance" makes it so',
            batches,
        )
