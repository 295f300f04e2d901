"""The exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim.swa_utils import get_ema_multi_avg_fn

NetworkT = TypeVar("NetworkT", bound=nn.Module)


class WeightAverage(Generic[NetworkT]):
    """A copy of a network whose weights follow those of the network: the network for inference.

    It starts as the network before its first step. The running statistics of normalization are averaged
    too, since they belong to the weights of many steps; other buffers are copied. torch's ``AveragedModel``
    treats all buffers alike, and makes the CPU wait for the device at every step.

    Args:
        network: the network in training, before it is prepared for precision and processes.
        decay: weight of the old average in each step, in (0, 1); it remembers about 1 / (1 - decay) steps.

    Attributes:
        network: the copy, in evaluation mode.
        started: whether a step was averaged or an average was loaded.
    """

    def __init__(self, network: NetworkT, decay: float) -> None:
        self.network: NetworkT = copy.deepcopy(network).requires_grad_(False).eval()
        self.started = False
        self._source = network
        self._mix = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        averaged = list(zip(_averaged(self.network), _averaged(network), strict=True))
        self._averages, self._weights = [pair[0] for pair in averaged], [pair[1] for pair in averaged]
        known = {id(tensor) for tensor in self._averages}
        buffers = zip(self.network.buffers(), network.buffers(), strict=True)
        self._copied = [(own, source) for own, source in buffers if id(own) not in known]

    def start(self) -> None:
        """Copy the network as it is before its first step; does nothing later."""
        if not self.started:
            self.load(self._source.state_dict())

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a saved average, the copy's state dict."""
        self.network.load_state_dict(state)
        self.started = True

    @torch.no_grad()
    def update(self) -> None:
        """Follow the network after a step."""
        self._mix(self._averages, self._weights, None)
        for own, source in self._copied:
            own.copy_(source)


def _averaged(network: nn.Module) -> Iterator[Tensor]:
    """Yield the tensors that are averaged: parameters, and running statistics of normalization."""
    for parameter in network.parameters():
        yield parameter.detach()
    for module in network.modules():
        if isinstance(module, _NormBase) and module.running_mean is not None:
            yield module.running_mean
            if module.running_var is not None:
                yield module.running_var
