"""The objective: the weighted terms of all losses, named for logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from skinfw.components.config import LossTermConfig
from skinfw.components.reference import numbered
from skinfw.data.batch import Batch
from skinfw.interfaces import AdversarialLoss, Loss, LossContext
from skinfw.specs.spec import Spec
from skinfw.training.micro_batches import mean_counts
from skinfw.training.step_losses import StepLosses

_NO_COUNTS: Mapping[str, Tensor] = MappingProxyType({})


class WeightedLosses:
    """The losses of a spec.

    Args:
        spec: provides the losses' names and weights.
        losses: the built losses, in the order of the spec.
    """

    def __init__(self, spec: Spec, losses: Sequence[Loss[Any]]) -> None:
        self.losses: dict[str, Loss[Any]] = dict(zip(numbered(spec.losses), losses, strict=True))

    @property
    def adversarial(self) -> dict[str, AdversarialLoss[Any]]:
        """The losses that have a term for the discriminator, by name."""
        return {name: loss for name, loss in self.losses.items() if isinstance(loss, AdversarialLoss)}

    def region_counts(self, batches: Sequence[Batch], accelerator: Accelerator) -> dict[str, Tensor]:
        """Return the losses' divisors in a step of several batches; see `Loss.region_count`.

        Args:
            batches: the batches of this process.
            accelerator: connects to the other processes.

        Returns:
            the counts by the losses' names; nothing if one batch is the whole step.
        """
        if len(batches) * accelerator.num_processes == 1:
            return {}
        found = {
            name: [loss.region_count(batch.region(loss.config.region)) for batch in batches]
            for name, loss in self.losses.items()
        }
        return {
            name: mean_counts([count for count in counts if count is not None], accelerator)
            for name, counts in found.items()
            if counts[0] is not None
        }

    def generator_losses(
        self, context: LossContext, counts: Mapping[str, Tensor] = _NO_COUNTS
    ) -> dict[str, Tensor]:
        """Return the unweighted terms of the generator by the losses' names.

        Args:
            context: what the losses see.
            counts: the result of `region_counts`.
        """
        return {
            name: loss.generator_loss(replace(context, region_count=counts.get(name)))
            for name, loss in self.losses.items()
        }

    def discriminator_losses(
        self, context: LossContext, counts: Mapping[str, Tensor] = _NO_COUNTS
    ) -> dict[str, Tensor]:
        """Return the unweighted terms of the discriminator by ``discriminator/`` and the losses' names."""
        return {
            f"discriminator/{name}": loss.discriminator_loss(replace(context, region_count=counts.get(name)))
            for name, loss in self.adversarial.items()
        }

    def total(self, terms: Mapping[str, Tensor], step: int) -> Tensor:
        """Return the weighted sum of terms.

        Args:
            terms: scalars by name, of the generator or of the discriminator.
            step: the current step, counted from 1; weights with warmup are small in the first steps.
        """
        configs = {name: self.losses[name.removeprefix("discriminator/")].config for name in terms}
        return weighted_sum(terms, configs, step)


def weighted_sum(terms: Mapping[str, Tensor], configs: Mapping[str, LossTermConfig], step: int) -> Tensor:
    """Return the sum of terms, each with its weight.

    Args:
        terms: scalars by name.
        configs: the configuration of each.
        step: the current step, counted from 1; weights with warmup are small in the first steps.
    """
    return torch.stack([term * _weight(configs[name], step) for name, term in terms.items()]).sum()


def _weight(config: LossTermConfig, step: int) -> float:
    return config.weight * (min(1.0, step / config.warmup) if config.warmup else 1.0)


def mean_losses(terms: Sequence[Mapping[str, Tensor]], accelerator: Accelerator) -> StepLosses:
    """Return the terms of a step: the means over its batches in all processes.

    Args:
        terms: scalars by name, for each batch of this process.
        accelerator: connects to the other processes.
    """
    stacked = torch.stack([torch.stack([term.detach().float() for term in each.values()]) for each in terms])
    return StepLosses(tuple(terms[0]), [accelerator.reduce(stacked.mean(dim=0), "mean")])
