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
    """What a discriminator is built for.

    Attributes:
        size: height and width of the images in pixels.
        condition_channels: channels of the condition that it sees beside the image; 0 when it sees none.
    """

    size: Size
    condition_channels: int


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator says of a batch of images.

    Attributes:
        logits: positive for real, ``(B, 1, h, w)``; one tensor for each scale that it looks at, the finest
            first.
        features: for each scale the outputs of its inner layers, ``(B, C, h, w)`` each, from the image to
            the logits; empty where it does not show them.
    """

    logits: tuple[Tensor, ...]
    features: tuple[tuple[Tensor, ...], ...] = ()


class Discriminator(Component[DiscriminatorConfigT, DiscriminatorIO], nn.Module):
    """Tells real images from painted ones."""

    kind: ClassVar[str] = "discriminator"

    @property
    @abstractmethod
    def receptive_field(self) -> int:
        """Side in pixels of the square of the image that one logit of the finest scale depends on."""

    @abstractmethod
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        """Judge a batch.

        Args:
            image: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            condition: float32 ``(B, C, H, W)`` in [0, 1], or None where it is not conditional.
        """
