"""The interface of losses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

import torch
from torch import Tensor, nn

from skinfw.components.config import LossConfig
from skinfw.components.measured_region import WHOLE, Region, region_field
from skinfw.interfaces.component import Component
from skinfw.interfaces.discriminator import DiscriminatorOutput

LossConfigT = TypeVar("LossConfigT", bound=LossConfig)


@dataclass(frozen=True)
class LossIO:
    """What a loss is built for.

    Attributes:
        size: height and width of the images in pixels.
    """

    size: tuple[int, int]


class Discriminate(Protocol):
    """Gives the discriminator's output for a batch of images, under the condition of the step."""

    def __call__(self, images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        """Return what the discriminator says.

        Args:
            images: float RGB ``(B, 3, H, W)`` in [0, 1].
            float32: compute without mixed precision, for gradients that are part of a loss.
        """


@dataclass(frozen=True)
class LossContext:
    """What a loss sees of one training step.

    Attributes:
        output: the generator's images after the composite, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        target: the true images, of the same shape and range.
        fields: the fields of the samples by name, as in `skinfw.data.batch.Batch`; those that the loss's
            configuration requires are among them.
        discriminate: asks the discriminator.
        region_count: where the batch is part of a larger step (gradient accumulation, several processes), the
            loss's own `Loss.region_count` over the whole step, divided by the number of its batches; None
            where the batch is the whole step.
    """

    output: Tensor
    target: Tensor
    fields: Mapping[str, Tensor]
    discriminate: Discriminate
    region_count: Tensor | None = None

    def region(self, name: Region) -> Tensor | None:
        """Return the mask of a region, float32 ``(B, 1, H, W)`` in {0, 1}; None for the whole image."""
        return None if name == WHOLE else self.fields[region_field(name)]


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
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the unweighted scalar that the generator minimizes."""

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return what a sum over the samples of a batch is divided by; by default the pixels of the region.

        Args:
            region: the mask of the configured region, ``(B, 1, H, W)`` in {0, 1}; None for the whole image.

        Returns:
            a count that adds up over batches, of any shape, or None for a mean over samples.
        """
        return None if region is None else region.sum()

    def denominator(self, context: LossContext) -> Tensor:
        """Return what this batch's sums are divided by: `region_count`, of the whole step; never 0."""
        if context.region_count is not None:
            return context.region_count
        count = self.region_count(self.region(context))
        if count is None:
            raise ValueError(f"{type(self).__name__} counts nothing in its region")
        return torch.where(count > 0, count, 1)

    def region(self, context: LossContext) -> Tensor | None:
        """Return the mask of the configured region, ``(B, 1, H, W)`` in {0, 1}; None for the whole image."""
        return context.region(self.config.region)

    def region_mean(self, values: Tensor, context: LossContext) -> Tensor:
        """Return the mean of per-pixel values over the configured region.

        Args:
            values: ``(B, C, H, W)``.
            context: gives the region.

        Returns:
            a scalar; 0 where the region is empty.
        """
        region = self.region(context)
        if region is None:
            return values.mean()
        return (values * region).sum() / (values.shape[1] * self.denominator(context))


class AdversarialLoss(Loss[LossConfigT]):
    """A loss that needs a discriminator, and has a term for it."""

    @abstractmethod
    def discriminator_loss(self, context: LossContext) -> Tensor:
        """Return the scalar that the discriminator minimizes; ``context.output`` carries no gradient."""
