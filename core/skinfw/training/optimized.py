"""A network in training with its optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Generic, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Adam

from skinfw.errors import RegistryError
from skinfw.runs.checkpoint_networks import load_optimizer, optimizer_tensors
from skinfw.runs.checkpoints import Checkpoint, average_of, savable
from skinfw.specs.run_spec import LoopSpec
from skinfw.training.compiling import compiled
from skinfw.training.finite import not_finite
from skinfw.training.weight_average import WeightAverage

FUSED_DEVICES = ("cuda", "cpu", "mps", "xpu")

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def training_layout(network: nn.Module, device: torch.device) -> torch.memory_format:
    """Return the memory format in which a network trains faster: channels_last for most.

    On a CPU, transposed convolutions are the exception: their backward pass takes up to a third longer in
    channels_last, and it determines the pace of the networks that have some.

    Example:
        >>> training_layout(nn.Sequential(nn.ConvTranspose2d(4, 4, 2)), torch.device("cpu"))
        torch.contiguous_format
    """
    transposed = any(isinstance(module, nn.ConvTranspose2d) for module in network.modules())
    return torch.contiguous_format if transposed and device.type == "cpu" else torch.channels_last


class OptimizedModule(Generic[NetworkT]):
    """A network in training: placed on the device, prepared for precision and processes, with Adam.

    Args:
        name: prefix of its tensors' names in a checkpoint.
        network: the network.
        rate: its learning rate.
        training: momenta, gradient clipping, and whether to compile.
        accelerator: provides device, precision and processes.
        ema: decay of the moving average of its weights; None keeps no average.

    Raises:
        RegistryError: the network's state cannot be saved.
        RunError: it cannot be compiled on this machine.

    Attributes:
        network: the network itself.
        prepared: what training calls: the same network, or a wrapper around it.
        local: the same without the wrapper for several processes, which waits for gradients.
        layout: the memory format of its weights, and of images that it trains on.
        average: the moving average of its weights, if kept.
        never_finite: names of tensors in `state` that contain infinity on purpose, such as an attention mask.
    """

    def __init__(
        self,
        name: str,
        network: NetworkT,
        rate: float,
        training: LoopSpec,
        accelerator: Accelerator,
        *,
        ema: float | None = None,
    ) -> None:
        error = savable(network.state_dict())
        if error is not None:
            raise RegistryError(f"the {name} {type(network).__name__} cannot be trained: {error}")
        self.name, self.rate = name, rate
        self.training, self.accelerator = training, accelerator
        self.layout = training_layout(network, accelerator.device)
        self.network: NetworkT = network.to(accelerator.device).to(memory_format=self.layout)
        self.average = None if ema is None else WeightAverage(self.network, ema)
        infinite = not_finite(dict(self.network.named_buffers()))
        self.never_finite = {f"{prefix}.{key}" for prefix in (name, average_of(name)) for key in infinite}
        parameters = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        fused = accelerator.device.type in FUSED_DEVICES
        optimizer = Adam(parameters, lr=rate, betas=training.betas, fused=fused)
        self.prepared: nn.Module
        self.prepared, self.optimizer = accelerator.prepare(self.network, optimizer)
        if isinstance(self.prepared, DistributedDataParallel):
            # broadcasting statistics would change buffers that an earlier pass of the step still needs
            self.prepared.broadcast_buffers = False
        self.local: nn.Module = self.network
        if training.compile:
            self.local = compiled(self.network, accelerator.device)
            alone = self.prepared is self.network
            self.prepared = self.local if alone else compiled(self.prepared, accelerator.device)

    @property
    def for_inference(self) -> NetworkT:
        """The network that is evaluated and used: with the average of its weights, if kept."""
        return self.network if self.average is None or not self.average.started else self.average.network

    @contextmanager
    def in_float32(self) -> Iterator[NetworkT]:
        """Give the network `for_inference` without the mixed precision of its training, as users get it."""
        network = self.for_inference
        # accelerate puts its autocast into the module itself
        mixed = network.__dict__.pop("forward", None)
        try:
            yield network
        finally:
            if mixed is not None:
                network.forward = mixed

    def set_rate(self, factor: float) -> None:
        """Set the learning rate to ``factor`` times that of the spec."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * factor

    def synchronized(self, last: bool) -> Any:
        """Return the context of a batch's passes: processes exchange gradients after the last of a step."""
        return nullcontext() if last else self.accelerator.no_sync(self.prepared)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a loss to those of the step."""
        self.accelerator.backward(loss)

    def descend(self) -> None:
        """Take one optimizer step, and let the average follow."""
        if self.average is not None:
            self.average.start()
        limit = self.training.gradient_clip
        if limit is not None:
            self.accelerator.unscale_gradients(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update()

    def state(self) -> dict[str, Tensor]:
        """Return everything needed to resume training, as tensors by name."""
        tensors = {f"{self.name}.{key}": value for key, value in self.network.state_dict().items()}
        if self.average is not None and self.average.started:
            averages = self.average.network.state_dict()
            tensors |= {f"{average_of(self.name)}.{key}": value for key, value in averages.items()}
        return tensors | optimizer_tensors(f"{self.name}_optimizer", self.optimizer)

    def load(self, checkpoint: Checkpoint) -> None:
        """Restore a checkpoint with everything from `state`."""
        self.network.load_state_dict(checkpoint.part(self.name))
        load_optimizer(self.optimizer, checkpoint.part(f"{self.name}_optimizer"))
        averages = checkpoint.part(average_of(self.name))
        if self.average is not None and averages:
            self.average.load(averages)
