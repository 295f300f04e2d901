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
    """What a loss needs to know when it is built.

    Attributes:
        size: height and width of the images in pixels.
    """

    size: tuple[int, int]


class Discriminate(Protocol):
    """Runs the discriminator on a batch of images, with the condition of the step."""

    def __call__(self, images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        """Return the discriminator's output.

        Args:
            images: float RGB ``(B, 3, H, W)`` in [0, 1].
            float32: compute without mixed precision, for gradients that are part of a loss.
        """


@dataclass(frozen=True)
class LossContext:
    """The values of one training step that a loss uses.

    Attributes:
        output: the generator's images after the composite, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        target: the ground truth, with the same shape and range.
        fields: the fields of the samples by name, as in `skinfw.data.batch.Batch`, including those that the
            loss's configuration requires.
        discriminate: runs the discriminator.
        region_count: if the batch is part of a larger step (gradient accumulation, several processes), the
            loss's `Loss.region_count` over the whole step, divided by the number of its batches; None if the
            batch is the whole step.
        alpha: the alpha of the generator's images, float32 ``(B, 1, H, W)`` in [0, 1]; None if they have
            none, which a spec with a loss that ``reads_alpha`` does not allow.
    """

    output: Tensor
    target: Tensor
    fields: Mapping[str, Tensor]
    discriminate: Discriminate
    region_count: Tensor | None = None
    alpha: Tensor | None = None

    def region(self, name: Region) -> Tensor | None:
        """Return the mask of a region, float32 ``(B, 1, H, W)`` in {0, 1}; None for the whole image."""
        return None if name == WHOLE else self.fields[region_field(name)]


class Loss(Component[LossConfigT, LossIO], nn.Module):
    """A term of the generator's loss; the trainer applies its weight.

    A term is a mean over the samples, or a sum over them divided by `denominator`. The mean of the terms of
    several batches is then the term of all their samples, which gradient accumulation and several processes
    rely on. A term that is neither sets ``uses_batch_statistics`` in its configuration.

    Attributes:
        compares: whether it compares the output with the target, so that the target has the lowest loss.
    """

    kind: ClassVar[str] = "loss"
    compares: ClassVar[bool] = True

    @abstractmethod
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the unweighted scalar that the generator minimizes."""

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return the divisor of a sum over a batch's samples; by default the number of pixels in the region.

        Args:
            region: the mask of the configured region, ``(B, 1, H, W)`` in {0, 1}; None for the whole image.

        Returns:
            a count that adds up over batches, of any shape, or None for a mean over samples.
        """
        return None if region is None else region.sum()

    def denominator(self, context: LossContext) -> Tensor:
        """Return the divisor of this batch's sums: `region_count` of the whole step; never 0."""
        if context.region_count is not None:
            return context.region_count
        count = self.region_count(self.region(context))
        if count is None:
            raise ValueError(f"{type(self).__name__} has no region_count")
        return torch.where(count > 0, count, 1)

    def region(self, context: LossContext) -> Tensor | None:
        """Return the mask of the configured region, ``(B, 1, H, W)`` in {0, 1}; None for the whole image."""
        return context.region(self.config.region)

    def region_mean(self, values: Tensor, context: LossContext) -> Tensor:
        """Return the mean of per-pixel values over the configured region.

        Args:
            values: ``(B, C, H, W)``.
            context: provides the region.

        Returns:
            a scalar; 0 if the region is empty.
        """
        region = self.region(context)
        if region is None:
            return values.mean()
        return (values * region).sum() / (values.shape[1] * self.denominator(context))


class AdversarialLoss(Loss[LossConfigT]):
    """A loss that needs a discriminator, and also returns the discriminator's loss."""

    @abstractmethod
    def discriminator_loss(self, context: LossContext) -> Tensor:
        """Return the scalar that the discriminator minimizes; ``context.output`` carries no gradient."""
