"""The interface of discriminators."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from skinfw.config import DiscriminatorConfig, Size
from skinfw.interfaces.component import Component

DiscriminatorConfigT = TypeVar("DiscriminatorConfigT", bound=DiscriminatorConfig)


@dataclass(frozen=True)
class DiscriminatorIO:
    """What a discriminator is built for.

    Attributes:
        size: height and width of the pictures in pixels.
        condition_channels: channels of the condition that it sees beside the picture; 0 when it sees none.
    """

    size: Size
    condition_channels: int


class Discriminator(Component[DiscriminatorConfigT, DiscriminatorIO], nn.Module):
    """Tells real pictures from painted ones."""

    kind: ClassVar[str] = "discriminator"

    @property
    @abstractmethod
    def receptive_field(self) -> int:
        """Side in pixels of the square of the picture that one logit depends on."""

    @abstractmethod
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> Tensor:
        """Judge a batch.

        Args:
            picture: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            condition: float32 ``(B, C, H, W)`` in [0, 1], or None where it is not conditional.

        Returns:
            logits ``(B, 1, h, w)``, positive for real.
        """
