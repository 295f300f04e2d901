"""Segmentation as the loop trains it: one network on photos with label maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from segmentation_models_pytorch.losses import MULTICLASS_MODE, DiceLoss
from torch import Tensor, nn

from skinfw.assemble import build_segmentation_network
from skinfw.data.classes import UNKNOWN
from skinfw.data.labelled import LabelledPhotos, collate_labelled
from skinfw.data.labelled_augmentation import LabelledAugmentation
from skinfw.data.segmentation import Picture
from skinfw.errors import SpecError
from skinfw.evaluation.label_figures import MEAN
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.segmentation import evaluate_network, labelled_loader
from skinfw.inference.label import predict
from skinfw.interfaces import SegmentationNetwork
from skinfw.reporting.label_pictures import label_row
from skinfw.segmentation_spec import SegmentationSpec, class_faults
from skinfw.training.learner import Learner
from skinfw.training.monitor import Monitor
from skinfw.training.objective import checked_values
from skinfw.training.optimised import Optimised


class SegmentationObjective:
    """Cross-entropy and Dice loss of a spec; pixels of unknown class do not count.

    Args:
        spec: gives the weights.
        classes: the names of the classes in the order of the network's channels.
        device: where the losses are computed.
    """

    def __init__(self, spec: SegmentationSpec, classes: tuple[str, ...], device: torch.device) -> None:
        losses = spec.losses
        weights = torch.tensor([losses.class_weights.get(name, 1.0) for name in classes], device=device)
        known: dict[str, tuple[float, nn.Module]] = {
            "cross_entropy": (
                losses.cross_entropy,
                nn.CrossEntropyLoss(weights if losses.class_weights else None, ignore_index=UNKNOWN),
            ),
            "dice": (losses.dice, DiceLoss(MULTICLASS_MODE, ignore_index=UNKNOWN)),
        }
        self.losses = {name: (weight, loss) for name, (weight, loss) in known.items() if weight > 0}

    def terms(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the unweighted losses by name; logits ``(B, K, H, W)``, labels int64 ``(B, H, W)``."""
        return {name: loss(logits.float(), labels) for name, (_, loss) in self.losses.items()}

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of terms."""
        return torch.stack([self.losses[name][0] * term for name, term in terms.items()]).sum()


class SegmentationLearner(Learner):
    """Trains the network of a segmentation spec.

    Args:
        spec: what to build.
        photos: where photos and label maps come from.
        accelerator: gives device, precision and processes.

    Raises:
        SpecError: the spec names a class that there is not.
    """

    network = "network"

    def __init__(self, spec: SegmentationSpec, photos: LabelledPhotos, accelerator: Accelerator) -> None:
        super().__init__(accelerator)
        self.spec, self.photos, self.classes = spec, photos, photos.classes
        names = self.classes.names
        _check_classes(spec, names)
        torch.manual_seed(spec.seed)
        self._network: Optimised[SegmentationNetwork[Any]] = Optimised(
            self.network,
            build_segmentation_network(spec, len(names)),
            spec.training.lr,
            spec.training,
            accelerator,
        )
        self.objective = SegmentationObjective(spec, names, accelerator.device)
        self.augmentation = LabelledAugmentation(spec.augmentation, names) if spec.augmentation else None

    @staticmethod
    def collate(samples: Sequence[Any]) -> Any:
        """Put samples together into a batch. See `Learner.collate`."""
        return collate_labelled(samples)

    @property
    def parts(self) -> Sequence[Optimised[Any]]:
        """The one network."""
        return [self._network]

    def about(self) -> dict[str, Any]:
        """Return the classes, which the label maps may have told."""
        return {"classes": self.classes.to_json()}

    def prepare_training(self) -> None:
        """Get the network ready."""
        self._network.network.prepare_training()

    def train_batch(self, batch: Any, step: int, last_good: str) -> dict[str, float]:
        """Train on one batch. See `Learner.train_batch`."""
        device = self.accelerator.device
        batch = batch.to(device)
        if self.augmentation is not None:
            batch = self.augmentation(batch).to(device)
        network = self._network.prepared
        if not network.training:
            network.train()
        terms = self.objective.terms(network(batch.pictures), batch.labels)
        values = checked_values(terms, step, last_good)
        self._network.descend(self.objective.total(terms))
        return values

    def monitor(self, names: Sequence[str]) -> Monitor | None:
        """Return the mean IoU of the classes."""
        return Monitor(MEAN, "higher")

    def evaluate(self, names: Sequence[str], step: int) -> Evaluation:
        """Measure what the network labels."""
        return evaluate_network(
            self._network.network,
            self.spec,
            self.photos,
            names,
            split="validation",
            step=step,
            device=self.accelerator.device,
        )

    def sample_rows(self, names: Sequence[str]) -> list[Picture]:
        """Return in each row the photo, the true and the predicted label map, and where they differ."""
        rows: list[Picture] = []
        for batch in labelled_loader(self.spec, self.photos, names, skip_corrupt=True):
            found = predict(self._network.network, batch, self.accelerator.device)
            for index in range(len(batch.names)):
                row = label_row(batch, index, found[index])
                rows.append(np.concatenate(list(row.values()), axis=1))
        return rows


def _check_classes(spec: SegmentationSpec, names: tuple[str, ...]) -> None:
    """Refuse classes that there are not, where only the label maps could tell."""
    pairs = spec.augmentation.flip_classes if spec.augmentation is not None else ()
    faults = class_faults(list(spec.losses.class_weights), names, "$.losses.class_weights")
    faults += class_faults([name for pair in pairs for name in pair], names, "$.augmentation.flip_classes")
    if faults:
        raise SpecError(spec.name, faults)
