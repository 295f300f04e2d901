"""The training module of segmentation: one network on photos with label maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from skinfw.assembly.assemble import build_augmentations, build_segmentation_network
from skinfw.components.field_names import IMAGE, LABELS
from skinfw.data.batch import Batch
from skinfw.data.classes import UNKNOWN
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Split
from skinfw.errors import SpecError
from skinfw.evaluation.results import Evaluation
from skinfw.interfaces import SegmentationNetwork
from skinfw.specs.segmentation_spec import SegmentationSpec, class_faults
from skinfw.tasks.segmentation.confusion import MEAN
from skinfw.tasks.segmentation.evaluate import evaluate_network, labeled_loader
from skinfw.tasks.segmentation.label import predict
from skinfw.tasks.segmentation.label_images import label_row
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw.training.micro_batches import Buffers, SameStart, mean_counts, warn_of_batch_statistics
from skinfw.training.module import TrainingModule
from skinfw.training.monitor import Monitor
from skinfw.training.optimized import OptimizedModule
from skinfw.training.weighted_losses import checked_values


@dataclass(frozen=True)
class _Whole:
    """What the losses of a batch need to know about its step.

    Attributes:
        count: `SegmentationObjective.count`, from `skinfw.training.micro_batches.mean_counts`.
        overlap: `SegmentationObjective.overlap` of all batches; 0 without the Dice loss.
        batches: number of batches in all processes.
    """

    count: Tensor
    overlap: Tensor
    batches: int


class SegmentationLossSum:
    """Cross-entropy and Dice loss of a spec; pixels of unknown class do not count.

    Args:
        spec: provides the weights.
        classes: the names of the classes in the order of the network's channels.
        device: where the losses are computed.
    """

    def __init__(self, spec: SegmentationSpec, classes: tuple[str, ...], device: torch.device) -> None:
        losses = spec.losses
        weights = torch.tensor([losses.class_weights.get(name, 1.0) for name in classes], device=device)
        known = {"cross_entropy": losses.cross_entropy, "dice": losses.dice}
        self.class_weights = weights
        self.weights = {name: weight for name, weight in known.items() if weight > 0}

    def count(self, labels: Tensor) -> Tensor:
        """Return the divisor of a batch's cross-entropy: its known pixels, weighted by class."""
        return self.class_weights[labels[labels != UNKNOWN]].sum()

    def overlap(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the terms of the Dice loss, sums over the known pixels of a batch.

        Args:
            logits: ``(B, K, H, W)``.
            labels: int64 ``(B, H, W)``.

        Returns:
            for each class the overlap of prediction and truth, the prediction and the truth, ``(3, K)``.
        """
        known = (labels != UNKNOWN).unsqueeze(1)
        predicted = logits.float().softmax(dim=1) * known
        true = one_hot(labels.where(labels != UNKNOWN, 0), logits.shape[1]).permute(0, 3, 1, 2) * known
        sums = [(predicted * true).sum((0, 2, 3)), predicted.sum((0, 2, 3)), true.sum((0, 2, 3)).float()]
        return torch.stack(sums)

    @staticmethod
    def dice(overlap: Tensor) -> Tensor:
        """Return the Dice loss (Milletari et al. 2016): the mean over all classes; absent ones count as 0."""
        both, predicted, true = overlap
        scores = 2 * both / (predicted + true).clamp(min=1e-7)
        loss: Tensor = ((1 - scores) * (true > 0)).mean()
        return loss

    def terms(self, logits: Tensor, labels: Tensor, whole: _Whole | None = None) -> dict[str, Tensor]:
        """Return the unweighted losses by name.

        Args:
            logits: ``(B, K, H, W)``.
            labels: int64 ``(B, H, W)``.
            whole: sums over the batch's step; None if the batch is the whole step. With it, the Dice loss is
                that of the whole step, and its gradient is this batch's part of the mean over the batches.
        """
        terms = {}
        if "cross_entropy" in self.weights:
            total = cross_entropy(
                logits.float(), labels, self.class_weights, ignore_index=UNKNOWN, reduction="sum"
            )
            own = self.count(labels)
            terms["cross_entropy"] = total / (torch.where(own > 0, own, 1) if whole is None else whole.count)
        if "dice" in self.weights:
            sums = self.overlap(logits, labels)
            if whole is not None:
                # the value of the whole step, with the gradient of this batch alone
                sums = whole.overlap + whole.batches * (sums - sums.detach())
            terms["dice"] = self.dice(sums)
        return terms

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of terms."""
        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()


class SegmentationModule(TrainingModule):
    """Trains the network of a segmentation spec.

    Args:
        spec: what to build.
        photos: the source of photos and label maps.
        accelerator: provides device, precision and processes.

    Raises:
        SpecError: the spec lists an unknown class.
    """

    network = "network"

    def __init__(self, spec: SegmentationSpec, photos: LabeledPhotos, accelerator: Accelerator) -> None:
        super().__init__(accelerator, spec.data.memory)
        self.spec, self.photos, self.classes = spec, photos, photos.classes
        names = self.classes.names
        _check_classes(spec, names)
        torch.manual_seed(spec.seed)
        self._network: OptimizedModule[SegmentationNetwork[Any]] = OptimizedModule(
            self.network,
            build_segmentation_network(spec, len(names)),
            spec.training.lr,
            spec.training,
            accelerator,
        )
        warn_of_batch_statistics([self._network.network], spec.training.gradient_accumulation, accelerator)
        self.weighted_losses = SegmentationLossSum(spec, names, accelerator.device)
        self.augmentations = build_augmentations(spec)

    @property
    def parts(self) -> Sequence[OptimizedModule[Any]]:
        """The only network."""
        return [self._network]

    def about(self) -> dict[str, Any]:
        """Return the classes, which may come from the label maps."""
        return {"classes": self.classes.to_json()}

    def prepare_training(self, split: Split) -> None:
        """Prepare the network."""
        self._network.network.prepare_training()

    def train_step(self, batches: Sequence[Batch], step: int, saved: str) -> dict[str, float]:
        """Train on the batches of a step. See `TrainingModule.train_step`.

        The Dice loss covers all pixels of a step together. With several batches, its terms are summed in a
        separate pass before the one with gradients, so that only one batch at a time is in memory.
        """
        parts = [self._augmented(batch) for batch in batches]
        seeds = torch.randint(2**62, (len(parts),)).tolist()
        trained, alone = self._network, len(parts) == 1
        if not trained.prepared.training:
            trained.prepared.train()
        start = SameStart(trained.network)

        def run(index: int) -> Tensor:
            start.again()
            if not alone:
                # the second pass of a batch uses the same dropout as the first
                torch.manual_seed(seeds[index])
            logits: Tensor = trained.prepared(parts[index][IMAGE])
            return logits

        kept = run(0) if alone else None
        twice = not alone and "dice" in self.weighted_losses.weights
        whole = self._whole(parts, kept, run)
        buffers = Buffers(trained.network) if twice else None
        terms = []
        for index, part in enumerate(parts):
            with trained.synchronized(last=index == len(parts) - 1):
                logits = run(index) if kept is None else kept
                found = self.weighted_losses.terms(logits, part[LABELS], whole)
                trained.backward(self.weighted_losses.total(found) / len(parts))
            terms.append({name: term.detach() for name, term in found.items()})
        values = checked_values(terms, step, saved, self.accelerator)
        trained.descend()
        if buffers is not None:
            buffers.restore()
        return values

    def _augmented(self, batch: Batch) -> Batch:
        batch = batch.to(self.accelerator.device, torch.channels_last)
        for augmentation in self.augmentations:
            batch = augmentation(batch).to(self.accelerator.device, torch.channels_last)
        return batch

    @torch.no_grad()
    def _whole(
        self, parts: Sequence[Batch], kept: Tensor | None, run: Callable[[int], Tensor]
    ) -> _Whole | None:
        """Return what the losses need to know about the whole step; None if it is one batch."""
        batches = len(parts) * self.accelerator.num_processes
        if batches == 1:
            return None
        count = mean_counts([self.weighted_losses.count(part[LABELS]) for part in parts], self.accelerator)
        overlap = torch.zeros((), device=self.accelerator.device)
        if "dice" in self.weighted_losses.weights:
            overlaps = [
                self.weighted_losses.overlap(run(index) if kept is None else kept, part[LABELS])
                for index, part in enumerate(parts)
            ]
            overlap = self.accelerator.reduce(torch.stack(overlaps).sum(dim=0), "sum")
        return _Whole(count, overlap, batches)

    def monitor(self, names: Sequence[str]) -> Monitor | None:
        """Return the mean IoU of the classes."""
        return Monitor(MEAN, "higher")

    def evaluate(self, names: Sequence[str], step: int) -> Evaluation:
        """Evaluate the network."""
        return evaluate_network(
            self._network.network,
            self.spec,
            self.photos,
            names,
            split="validation",
            step=step,
            device=self.accelerator.device,
            cache=self.cache,
        )

    def sample_rows(self, names: Sequence[str]) -> list[RgbImage]:
        """Return one row per photo: the photo, the true and predicted label maps, and their differences."""
        rows: list[RgbImage] = []
        for batch in labeled_loader(self.spec, self.photos, names, skip_corrupt=True):
            found = predict(self._network.network, batch, self.accelerator.device)
            for index in range(len(batch.names)):
                row = label_row(batch, index, found[index])
                rows.append(np.concatenate(list(row.values()), axis=1))
        return rows


def _check_classes(spec: SegmentationSpec, names: tuple[str, ...]) -> None:
    """Reject unknown classes, if only the label maps define them."""
    faults = class_faults(list(spec.losses.class_weights), names, "$.losses.class_weights")
    flipped = [name for pair in spec.data.flip_classes for name in pair]
    faults += class_faults(flipped, names, "$.data.flip_classes")
    if faults:
        raise SpecError(spec.name, faults)
