"""Painting as the loop trains it: generator and discriminator on samples of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from accelerate import Accelerator

from skinfw.composite import to_uint8
from skinfw.data.batch import collate
from skinfw.data.heatmaps import visible
from skinfw.data.loading import Loader
from skinfw.data.segmentation import Picture
from skinfw.evaluation.evaluate import evaluate_generator
from skinfw.evaluation.results import Evaluation
from skinfw.inference.paint import paint_batches
from skinfw.interfaces import Dataset
from skinfw.spec import Spec
from skinfw.training.learner import Learner
from skinfw.training.networks import Networks
from skinfw.training.optimised import Optimised


class PaintingLearner(Learner):
    """Trains the networks of a spec of painting.

    Args:
        spec: what to build.
        dataset: where samples come from.
        accelerator: gives device, precision and processes.
    """

    network = "generator"

    def __init__(self, spec: Spec, dataset: Dataset[Any], accelerator: Accelerator) -> None:
        super().__init__(accelerator)
        self.spec, self.dataset = spec, dataset
        self.networks = Networks(spec, accelerator)

    @staticmethod
    def collate(samples: Sequence[Any]) -> Any:
        """Put samples together into a batch. See `Learner.collate`."""
        return collate(samples)

    @property
    def parts(self) -> Sequence[Optimised[Any]]:
        """The generator and, where there is one, the discriminator."""
        return self.networks.parts

    def prepare_training(self) -> None:
        """Get the generator ready."""
        self.networks.generator.prepare_training(self.spec.data)

    def train_batch(self, batch: Any, step: int, last_good: str) -> dict[str, float]:
        """Train on one batch. See `skinfw.training.networks.Networks.train_batch`."""
        return self.networks.train_batch(batch, step, last_good)

    def evaluate(self, names: Sequence[str], step: int) -> Evaluation:
        """Measure what the generator paints."""
        return evaluate_generator(
            self.networks.generator,
            self.spec,
            self.dataset,
            names,
            split="validation",
            step=step,
            baselines={},
            device=self.accelerator.device,
        )

    def sample_rows(self, names: Sequence[str]) -> list[Picture]:
        """Return in each row the input pictures, the output and the target."""
        loader = Loader(self.dataset, names, batch_size=len(names), skip_corrupt=True)
        rows: list[Picture] = []
        for painted in paint_batches(self.networks.generator, self.spec, loader, self.accelerator.device):
            inputs = [visible(name, to_uint8(painted.batch.inputs[name])) for name in self.spec.data.inputs]
            columns = [*inputs, painted.pictures, to_uint8(painted.batch.target)]
            rows.extend(np.concatenate(columns, axis=2))
        return rows
