"""The interface of discriminators."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from skinfw.components.config import DiscriminatorConfig, Size
from skinfw.interfaces.component import Component

DiscriminatorConfigT = TypeVar("DiscriminatorConfigT", bound=DiscriminatorConfig)


@dataclass(frozen=True)
class DiscriminatorIO:
    """What a discriminator needs to know when it is built.

    Attributes:
        size: height and width of the images in pixels.
        condition_channels: channels of the condition that it sees next to the image; 0 for none.
    """

    size: Size
    condition_channels: int


@dataclass(frozen=True)
class DiscriminatorOutput:
    """A discriminator's output for a batch of images.

    Attributes:
        logits: positive for real, ``(B, 1, h, w)``; one tensor per scale, the finest
            first.
        features: per scale, the outputs of the inner layers, ``(B, C, h, w)`` each, from the image to
            the logits; empty if it does not return them.
    """

    logits: tuple[Tensor, ...]
    features: tuple[tuple[Tensor, ...], ...] = ()


class Discriminator(Component[DiscriminatorConfigT, DiscriminatorIO], nn.Module):
    """Distinguishes real images from generated ones."""

    kind: ClassVar[str] = "discriminator"

    @property
    @abstractmethod
    def receptive_field(self) -> int:
        """Side in pixels of the image square that one logit of the finest scale depends on."""

    @abstractmethod
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        """Score a batch.

        Args:
            image: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            condition: float32 ``(B, C, H, W)`` in [0, 1], or None if it is not conditional.
        """
