"""The interface of losses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn

from skinfw.components.config import LossConfig
from skinfw.interfaces.component import Component
from skinfw.interfaces.discriminator import DiscriminatorOutput

LossConfigT = TypeVar("LossConfigT", bound=LossConfig)


@dataclass(frozen=True)
class LossIO:
    """What a loss is built for.

    Attributes:
        size: height and width of the pictures in pixels.
    """

    size: tuple[int, int]


@dataclass(frozen=True)
class Step:
    """What a loss sees of one training step.

    Attributes:
        output: the painted pictures after the composite, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        target: the true pictures, of the same shape and range.
        skin: where the target shows skin, float32 ``(B, 1, H, W)`` in {0, 1}.
        judge: gives the discriminator's outputs of a batch of pictures, under this step's condition.
        inputs: the samples' input pictures by name, float32 RGB ``(B, 3, H, W)`` in [0, 1]; those that the
            loss's configuration requires are among them.
        discriminate_in_float32: the same as ``judge`` without mixed precision, for gradients that are part of
            a loss; None where ``judge`` has none.
        region_count: where the batch is part of a larger step (gradient accumulation, several processes), the
            loss's own `Loss.region_count` over the whole step, divided by the number of its batches; None
            where the batch is the whole step.
    """

    output: Tensor
    target: Tensor
    skin: Tensor
    judge: Callable[[Tensor], DiscriminatorOutput]
    inputs: Mapping[str, Tensor]
    discriminate_in_float32: Callable[[Tensor], DiscriminatorOutput] | None = None
    region_count: Tensor | None = None


class Loss(Component[LossConfigT, LossIO], nn.Module):
    """A term of the generator's objective; its weight is applied by the trainer.

    A term is a mean over the samples, or a sum over them that is divided by `denominator`. Then the mean of
    the terms of several batches is the term of all their samples, which gradient accumulation and several
    processes rely on. A term that is neither says ``uses_batch_statistics`` in its configuration.

    Attributes:
        compares: whether it compares the output with the target, so that the target itself costs least.
    """

    kind: ClassVar[str] = "loss"
    compares: ClassVar[bool] = True

    @abstractmethod
    def generator_loss(self, step: Step) -> Tensor:
        """Return the unweighted scalar that the generator minimizes."""

    def region_count(self, skin: Tensor) -> Tensor | None:
        """Return what a sum over the samples of a batch is divided by; by default the pixels of the skin.

        Args:
            skin: ``(B, 1, H, W)`` in {0, 1}.

        Returns:
            a count that adds up over batches, of any shape, or None for a mean over samples.
        """
        return skin.sum() if self.config.region == "skin" else None

    def denominator(self, step: Step) -> Tensor:
        """Return what this batch's sums are divided by: `region_count`, of the whole step; never 0."""
        if step.region_count is not None:
            return step.region_count
        count = self.region_count(step.skin)
        if count is None:
            raise ValueError(f"{type(self).__name__} counts nothing in its region")
        return torch.where(count > 0, count, 1)

    def region_mean(self, values: Tensor, step: Step) -> Tensor:
        """Return the mean of per-pixel values over the configured region.

        Args:
            values: ``(B, C, H, W)``.
            step: gives the skin.

        Returns:
            a scalar; 0 where the region is empty.
        """
        if self.config.region == "picture":
            return values.mean()
        return (values * step.skin).sum() / (values.shape[1] * self.denominator(step))


class AdversarialLoss(Loss[LossConfigT]):
    """A loss that needs a discriminator, and has a term for it."""

    @abstractmethod
    def discriminator_loss(self, step: Step) -> Tensor:
        """Return the scalar that the discriminator minimizes; ``step.output`` carries no gradient."""
