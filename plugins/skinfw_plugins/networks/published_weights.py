"""Published networks for losses and metrics: frozen, with torchvision's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from torch import Tensor, nn

from skinfw.components.weights import load_weights
from skinfw_plugins.networks.published_files import TORCHVISION


def feature_tensors(network: str) -> dict[str, Tensor]:
    """Return the weights of a network's convolutions by their names within ``features``.

    Args:
        network: a name of `skinfw_plugins.networks.published_files.TORCHVISION`.

    Raises:
        UserError: the file is not available; see `skinfw.components.weights.find_weights`.
    """
    tensors = load_weights(TORCHVISION[network])
    prefix = "features."
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


class Frozen(nn.Module):
    """Holds a published network: never trained, always in evaluation mode, in no state dict.

    The network is not a submodule, so neither ``train()`` nor an optimizer reaches it. It moves to other
    devices with the holder. Gradients flow through it to its input.

    Args:
        network: the network with its weights.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._held = (network.eval().requires_grad_(False),)

    @property
    def network(self) -> Any:
        """The network."""
        return self._held[0]

    def forward(self, *inputs: Tensor) -> Any:
        """Return the network's output."""
        return self.network(*inputs)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        self._held[0]._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch does not type it
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch does not type it
        return self
