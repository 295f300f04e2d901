"""The training module of inpainting: generator and discriminator on samples of people."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from accelerate import Accelerator

from skinfw.assembly.assemble import build_metric
from skinfw.components.field_names import BODY, SKIN
from skinfw.components.measured_region import Region
from skinfw.components.reference import numbered
from skinfw.data.aspect import Aspects, read_aspects, widened
from skinfw.data.batch import Batch, collate
from skinfw.data.loading import Loader
from skinfw.data.sample_cache import SampleCache
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Split
from skinfw.errors import DataError
from skinfw.evaluation.covered import covered
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.metric_set import compared
from skinfw.evaluation.results import Evaluation
from skinfw.inference.composite import to_uint8
from skinfw.inference.paint import inpaint_batches
from skinfw.interfaces import Dataset
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.data_record import Hashed
from skinfw.runs.environment import components_of
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.initial_weights import reject_overlap
from skinfw.training.module import TrainingModule
from skinfw.training.monitor import Monitor
from skinfw.training.optimized import OptimizedModule
from skinfw.training.ranks import Ranks
from skinfw.training.step_losses import StepLosses

logger = logging.getLogger("skinfw")


class InpaintingModule(TrainingModule):
    """Trains the networks of an inpainting spec.

    Args:
        spec: what to build.
        dataset: the source of the samples that are shown and evaluated.
        accelerator: provides device, precision and processes.
        cache: caches decoded samples of the run's data.
    """

    network = "generator"

    def __init__(
        self, spec: Spec, dataset: Dataset[Any], accelerator: Accelerator, cache: SampleCache
    ) -> None:
        super().__init__(accelerator, cache)
        self.spec, self.dataset = spec, dataset
        self.networks = Networks(spec, accelerator)
        self._aspects: Aspects | None = None

    @property
    def parts(self) -> Sequence[OptimizedModule[Any]]:
        """The generator and, if there is one, the discriminator."""
        return self.networks.parts

    def prepare_training(self, split: Split, source: Hashed) -> None:
        """Prepare the generator, whose weights must not come from a run that saw held-out samples."""
        self.networks.generator.prepare_training(self.spec.data)
        for component in components_of(self.spec.generator):
            path = component.config.trained_by()
            if path is not None:
                reject_overlap(path, split, source)

    def train_step(self, batches: Sequence[Batch], step: int) -> StepLosses:
        """Train on the batches of a step. See `skinfw.tasks.inpainting.networks.Networks.train_step`."""
        self._aspects = widened(self._aspects, (size for batch in batches for size in batch.source_sizes))
        return self.networks.train_step(batches, step)

    def agree(self, ranks: Ranks) -> None:
        """Let all processes know the shapes of all samples."""
        known = [aspects for aspects in ranks.exchange(self._aspects) if aspects is not None]
        if known:
            lowest, highest = zip(*known, strict=True)
            self._aspects = min(lowest), max(highest)

    def unlike(self, checkpoint: Checkpoint) -> str:
        """Return in what the inputs differ: with other ones, the channels mean something else."""
        theirs = inpainting_spec(checkpoint.spec, checkpoint.path).data.inputs
        if theirs == self.spec.data.inputs:
            return ""
        return (
            f"its generator sees {', '.join(each.name for each in theirs)}, but this spec's data.inputs are "
            f"{', '.join(self.spec.data.input_names)}; make them the same, in the same order"
        )

    def about(self) -> dict[str, Any]:
        """Return the shapes of the samples so far, which show what the generator can be used on."""
        return {} if self._aspects is None else {"aspects": list(self._aspects)}

    def load(self, checkpoint: Checkpoint) -> None:
        """Restore a checkpoint. See `TrainingModule.load`."""
        super().load(checkpoint)
        self._aspects = read_aspects(checkpoint.about.get("aspects"), self.spec.data.size)

    def monitor(self, names: Sequence[str]) -> Monitor | None:
        """Return the first metric of the spec that works, on skin if the samples show some.

        Each is tried on one sample that shows its region, target against target, so that a metric that needs
        larger images or unavailable weights is skipped before the run begins.
        """
        for name, reference in numbered(self.spec.metrics).items():
            try:
                metrics = build_metric(reference)
                regions = sorted(metrics, key=lambda region: region != "skin")
                shown = ((region, self._showing(names, region)) for region in regions)
                region, sample = next((region, sample) for region, sample in shown if sample is not None)
                perfect = compared(metrics[region], sample[BODY], sample[SKIN], sample)
                metrics[region].update(*perfect, sample.region(region))
            except StopIteration:
                regions_text = " or ".join(regions)
                logger.warning(
                    "%s cannot choose the best checkpoint: no validation sample shows %s", name, regions_text
                )
            except Exception as error:
                logger.warning("%s cannot choose the best checkpoint: %s", name, error)
            else:
                return Monitor(f"{region}/{name}", metrics[region].direction)
        return None

    def _showing(self, names: Sequence[str], region: Region) -> Batch | None:
        """Return the first readable sample that shows a region; None if no sample does."""
        for name in names:
            try:
                sample = collate([self.dataset.load(name)])
            except DataError:  # the evaluation says so
                continue
            mask = sample.region(region)
            if mask is None or mask.any():
                return sample
        return None

    def evaluate(self, names: Sequence[str], step: int, ranks: Ranks) -> Evaluation:
        """Evaluate the generator."""
        with self.networks.in_float32() as generator, ranks.same_buffers(generator):
            return evaluate_generator(
                generator,
                self.spec,
                self.dataset,
                names,
                split="validation",
                step=step,
                baselines={},
                cache=self.cache,
                together=ranks,
                device=self.accelerator.device,
            )

    def sample_rows(self, names: Sequence[str]) -> list[RgbImage]:
        """Return one row per sample: the input images, the output and the target."""
        loader = Loader(self.dataset, names, batch_size=len(names), skip_corrupt=True)
        rows: list[RgbImage] = []
        batches = covered(loader, self.spec)
        with self.networks.in_float32() as generator:
            for painted in inpaint_batches(generator, self.spec, batches, self.accelerator.device):
                inputs = [to_uint8(painted.batch.show(name)) for name in self.spec.data.input_names]
                columns = [*inputs, painted.images, to_uint8(painted.batch[BODY])]
                rows.extend(np.concatenate(columns, axis=2))
        return rows
