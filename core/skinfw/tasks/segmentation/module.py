"""The training module of segmentation: one network on photos with label maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from skinfw.assembly.assemble import build_augmentations, build_segmentation_network
from skinfw.components.field_names import IMAGE, LABELS
from skinfw.data.batch import Batch
from skinfw.data.sample_cache import SampleCache
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Split
from skinfw.errors import SpecError
from skinfw.evaluation.results import Evaluation
from skinfw.interfaces import SegmentationNetwork
from skinfw.runs.data_record import Hashed
from skinfw.specs.segmentation_spec import SegmentationSpec, class_errors, loss_class_errors
from skinfw.tasks.segmentation.confusion import MEAN
from skinfw.tasks.segmentation.evaluate_segmentation import evaluate_network, labeled_loader
from skinfw.tasks.segmentation.label import predict
from skinfw.tasks.segmentation.label_images import label_row
from skinfw.tasks.segmentation.losses import SegmentationLosses, StepSums
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw.training.micro_batches import Buffers, SameStart, warn_of_batch_statistics
from skinfw.training.module import TrainingModule
from skinfw.training.monitor import Monitor
from skinfw.training.optimized import OptimizedModule
from skinfw.training.ranks import Ranks
from skinfw.training.step_losses import StepLosses
from skinfw.training.weighted_losses import mean_losses


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
        super().__init__(accelerator, SampleCache(spec.data.sample_cache, photos))
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
            ema=spec.training.ema,
        )
        warn_of_batch_statistics([self._network.network], spec.training.gradient_accumulation, accelerator)
        self.weighted_losses = SegmentationLosses(spec, names, accelerator.device)
        self.augmentations = build_augmentations(spec)

    @property
    def parts(self) -> Sequence[OptimizedModule[Any]]:
        """The only network."""
        return [self._network]

    def about(self) -> dict[str, Any]:
        """Return the classes, which may come from the label maps."""
        return {"classes": self.classes.to_json()}

    def prepare_training(self, split: Split, source: Hashed) -> None:
        """Prepare the network."""
        self._network.network.prepare_training()

    def train_step(self, batches: Sequence[Batch], step: int) -> StepLosses:
        """Train on the batches of a step. See `TrainingModule.train_step`.

        The losses depend on sums over all pixels of a step. With several batches, these are found in a
        separate pass before the one with gradients, so that only one batch at a time is in memory.
        """
        parts = [self._augmented(batch) for batch in batches]
        seeds = torch.randint(2**62, (len(parts),)).tolist()
        trained, alone = self._network, len(parts) == 1
        if not trained.network.training:
            trained.prepared.train()
        start = SameStart(trained.network)

        def sums(index: int) -> dict[str, Tensor]:
            start.again()
            if not alone:
                # the second pass of a batch uses the same dropout as the first
                torch.manual_seed(seeds[index])
            return self.weighted_losses.sums(trained.prepared(parts[index][IMAGE]), parts[index][LABELS])

        kept = sums(0) if alone else None
        with torch.no_grad():
            known = [sums(index) if kept is None else kept for index in range(len(parts))]
            whole = StepSums.of(known, self.accelerator)
        # the second pass shows the same images again: they count once in the statistics
        buffers = None if alone else Buffers(trained.network)
        terms = []
        for index in range(len(parts)):
            with trained.synchronized(last=index == len(parts) - 1):
                found = self.weighted_losses.terms(sums(index) if kept is None else kept, whole)
                trained.backward(self.weighted_losses.total(found, step) / len(parts))
            terms.append({name: term.detach() for name, term in found.items()})
        if buffers is not None:
            buffers.restore()
        trained.descend()
        return mean_losses(terms, self.accelerator)

    def _augmented(self, batch: Batch) -> Batch:
        device, layout = self.accelerator.device, self._network.layout
        batch = batch.to(device, layout)
        for augmentation in self.augmentations:
            batch = augmentation(batch).to(device, layout)
        return batch

    def monitor(self, names: Sequence[str]) -> Monitor | None:
        """Return the mean IoU of the classes."""
        return Monitor(MEAN, "higher")

    def evaluate(self, names: Sequence[str], step: int, ranks: Ranks) -> Evaluation:
        """Evaluate the network."""
        with self._network.in_float32() as network, ranks.same_buffers(network):
            return evaluate_network(
                network,
                self.spec,
                self.photos,
                names,
                split="validation",
                step=step,
                device=self.accelerator.device,
                cache=self.cache,
                together=ranks,
            )

    def sample_rows(self, names: Sequence[str]) -> list[RgbImage]:
        """Return one row per photo: the photo, the true and predicted label maps, and their differences."""
        rows: list[RgbImage] = []
        device = self.accelerator.device
        with self._network.in_float32() as network:
            for batch in labeled_loader(self.spec, self.photos, names, device=device, skip_corrupt=True):
                found = predict(network, batch, device)
                for index in range(len(batch.names)):
                    row = label_row(batch, index, found[index])
                    rows.append(np.concatenate(list(row.values()), axis=1))
        return rows


def _check_classes(spec: SegmentationSpec, names: tuple[str, ...]) -> None:
    """Reject unknown classes, if only the label maps define them."""
    errors = loss_class_errors(spec.losses, names)
    flipped = [name for pair in spec.data.flip_classes for name in pair]
    errors += class_errors(flipped, names, "$.data.flip_classes")
    if errors:
        raise SpecError(spec.name, errors)
