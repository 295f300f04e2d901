"""The losses of a segmentation spec, whose terms depend on sums over all pixels of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor

from skinfw.assembly.assemble import build_segmentation_losses
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.training.weighted_losses import weighted_sum


@dataclass(frozen=True)
class StepSums:
    """The sums of a step.

    Attributes:
        sums: the sums of each loss over all batches of all processes, by name.
        batches: the number of these batches.
    """

    sums: Mapping[str, Tensor]
    batches: int

    @classmethod
    def of(cls, batches: Sequence[Mapping[str, Tensor]], accelerator: Accelerator) -> StepSums:
        """Add the sums of the batches of this process, and of the other processes."""
        added = {name: torch.stack([each[name] for each in batches]).sum(dim=0) for name in batches[0]}
        sums = {name: accelerator.reduce(each, "sum") for name, each in added.items()}
        return cls(sums, len(batches) * accelerator.num_processes)


class SegmentationLosses:
    """The losses of a spec, weighted.

    Args:
        spec: provides the losses.
        classes: the names of the classes in the order of the network's channels.
        device: where the losses are computed.
    """

    def __init__(self, spec: SegmentationSpec, classes: tuple[str, ...], device: torch.device) -> None:
        built = build_segmentation_losses(spec, classes)
        self.losses = {name: loss.to(device) for name, loss in built.items()}

    def sums(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the sums of each loss over a batch, by name.

        Args:
            logits: ``(B, K, H, W)``.
            labels: int64 ``(B, H, W)``.
        """
        return {name: loss.sums(logits.float(), labels) for name, loss in self.losses.items()}

    def terms(self, sums: Mapping[str, Tensor], step: StepSums) -> dict[str, Tensor]:
        """Return the unweighted losses of a step by name.

        Args:
            sums: the sums over a batch.
            step: those over its step.

        Returns:
            scalars; their gradients are this batch's part of the mean over the batches of the step.
        """
        whole = {
            # the value of the whole step, with the gradient of this batch alone
            name: step.sums[name] + step.batches * (each - each.detach())
            for name, each in sums.items()
        }
        return {name: loss.value(whole[name]) for name, loss in self.losses.items()}

    def total(self, terms: Mapping[str, Tensor], step: int) -> Tensor:
        """Return the weighted sum of terms in a step, counted from 1."""
        return weighted_sum(terms, {name: loss.config for name, loss in self.losses.items()}, step)
