"""The interface of generators."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from skinfw.config import GeneratorConfig, Size
from skinfw.interfaces.component import Component

GeneratorConfigT = TypeVar("GeneratorConfigT", bound=GeneratorConfig)


@dataclass(frozen=True)
class GeneratorIO:
    """What a generator is built for.

    Attributes:
        size: height and width of the pictures in pixels.
        inputs: names of the input pictures, in the order of their channels.
        margin: pixels around the skin that the composite takes from the painted picture too, where the
            input was erased.
    """

    size: Size
    inputs: tuple[str, ...]
    margin: int = 0

    @property
    def condition_channels(self) -> int:
        """Channels of the condition: three a picture."""
        return 3 * len(self.inputs)

    def channels_of(self, name: str) -> slice:
        """Return the channels of the condition that hold the named input picture.

        Raises:
            ValueError: the picture is not among the inputs.
        """
        start = 3 * self.inputs.index(name)
        return slice(start, start + 3)


class Generator(Component[GeneratorConfigT, GeneratorIO], nn.Module):
    """Paints pictures from a condition, from noise, or from both.

    Pictures are float32 RGB ``(B, 3, H, W)`` in [0, 1] on the outside; what range a network works in is its
    own matter. Which sizes and inputs it needs, and whether there is anything to train, stands in its
    configuration.

    Attributes:
        conditional: whether the output depends on the condition.
    """

    kind: ClassVar[str] = "generator"
    conditional: ClassVar[bool] = True

    @abstractmethod
    def forward(self, condition: Tensor, noise: Tensor | None = None) -> Tensor:
        """Paint a batch.

        Args:
            condition: float32 ``(B, 3n, H, W)`` in [0, 1], the n input pictures side by side.
            noise: standard normal, ``(B, *noise_shape((H, W)))``; None for generators that take none.

        Returns:
            float32 RGB ``(B, 3, H, W)`` in [0, 1].
        """

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        """Return the shape of one sample's noise; empty for generators that take none.

        Args:
            size: height and width of the picture to be painted, in pixels.
        """
        return ()

    def start(self) -> None:
        """Load weights that training starts from; called once before a run's first step.

        It is never called when a checkpoint is read, so a network in use needs its checkpoint alone.

        Raises:
            UserError: the weights cannot be had.
        """
        return None
