"""What is minimised: the weighted terms of all losses, named for logs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from skinfw.component_spec import numbered
from skinfw.config import LossConfig
from skinfw.interfaces import AdversarialLoss, Loss, Step
from skinfw.spec import Spec
from skinfw.training.finite import diverged


class Objective:
    """The losses of a spec.

    Args:
        spec: gives the losses' names and weights.
        losses: the built losses, in the order of the spec.
    """

    def __init__(self, spec: Spec, losses: Sequence[Loss[Any]]) -> None:
        self.losses: dict[str, Loss[Any]] = dict(zip(numbered(spec.losses), losses, strict=True))

    @property
    def adversarial(self) -> dict[str, AdversarialLoss[Any]]:
        """The losses that have a term for the discriminator, by name."""
        return {name: loss for name, loss in self.losses.items() if isinstance(loss, AdversarialLoss)}

    def generator_terms(self, step: Step) -> dict[str, Tensor]:
        """Return the unweighted terms of the generator by the losses' names."""
        return {name: loss.generator_term(step) for name, loss in self.losses.items()}

    def discriminator_terms(self, step: Step) -> dict[str, Tensor]:
        """Return the unweighted terms of the discriminator by ``discriminator/`` and the losses' names."""
        return {
            f"discriminator/{name}": loss.discriminator_term(step) for name, loss in self.adversarial.items()
        }

    def total(self, terms: Mapping[str, Tensor], step: int) -> Tensor:
        """Return the weighted sum of terms.

        Args:
            terms: scalars by name, of the generator or of the discriminator.
            step: the step under way, counted from 1; weights that warm up are still small in the first ones.
        """
        weighted = [
            term * self._weight(self.losses[name.removeprefix("discriminator/")].config, step)
            for name, term in terms.items()
        ]
        return torch.stack(weighted).sum()

    @staticmethod
    def _weight(config: LossConfig, step: int) -> float:
        return config.weight * (min(1.0, step / config.warmup) if config.warmup else 1.0)


def checked_values(terms: Mapping[str, Tensor], step: int, last_good: str) -> dict[str, float]:
    """Return the terms as numbers.

    Args:
        terms: scalars by name.
        step: the step under way, counted from 1.
        last_good: what to go back to, for the error.

    Raises:
        TrainingError: one of them is not finite; the step and the loss are named.
    """
    numbers = torch.stack([term.detach().float() for term in terms.values()]).tolist()
    values = dict(zip(terms, numbers, strict=True))
    for name, value in values.items():
        if not math.isfinite(value):
            raise diverged(f"in step {step} the loss '{name}' became {value}", last_good)
    return values
