"""The best, the median and the worst images of an evaluation."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from PIL import Image

from skinfw.assembly.assemble import build_dataset
from skinfw.components.field_names import BODY
from skinfw.components.registry import TRAINED
from skinfw.data.loading import Loader
from skinfw.data.segmentation import RgbImage
from skinfw.evaluation.covered import covered
from skinfw.evaluation.error_map import error_image
from skinfw.evaluation.results import Evaluation
from skinfw.inference.composite import to_uint8
from skinfw.inference.paint import InpaintedBatch, inpaint_batches
from skinfw.interfaces import Dataset, Generator
from skinfw.specs.spec import Spec
from skinfw.system.json_file import replacing

Rank = Literal["best", "median", "worst"]
RANKS: tuple[Rank, ...] = ("best", "median", "worst")

PER_RANK = 2
"""Images per rank, if there are enough for all to differ."""


@dataclass(frozen=True)
class Example:
    """One test image with its inputs and outputs; every image is uint8 RGB ``(H, W, 3)``.

    Attributes:
        rank: its rank among the test images.
        name: the sample's name.
        metric: the ranking metric, ``region/name``, or None if no metric has a value per image.
        value: its value of that metric.
        inputs: the input images by name.
        outputs: the inpainted images by generator, the trained one first.
        target: the real image.
        alpha: where the trained generator sees skin, as a gray image; None if it gives no alpha.
    """

    rank: Rank
    name: str
    metric: str | None
    value: float | None
    inputs: Mapping[str, RgbImage]
    outputs: Mapping[str, RgbImage]
    target: RgbImage
    alpha: RgbImage | None = None

    @property
    def images(self) -> dict[str, RgbImage]:
        """All images by name, in display order."""
        others = {name: image for name, image in self.outputs.items() if name != TRAINED}
        output, error = self.outputs[TRAINED], self.error
        alpha = {} if self.alpha is None else {"alpha": self.alpha}
        return {**self.inputs, "output": output, **alpha, "target": self.target, "error": error, **others}

    @property
    def error(self) -> RgbImage:
        """The error of the trained generator's image, as a heat map."""
        return error_image(self.outputs[TRAINED], self.target)


def ranking_metric(evaluation: Evaluation) -> str | None:
    """Return the ranking metric: the monitor, or else the first metric with a value per image."""
    known = evaluation.per_image[TRAINED]
    monitored = evaluation.monitored_metric()
    return monitored if monitored in known else next(iter(known), None)


def choose_examples(evaluation: Evaluation, per_rank: int = PER_RANK) -> dict[str, Rank]:
    """Return the names of the best, median and worst images; no image has two ranks.

    Images without a value (without the region) are not chosen; without a ranking metric, the first, middle
    and last ones are.

    Args:
        evaluation: the results.
        per_rank: images per rank; only one each if there are fewer than ``3 * per_rank``.
    """
    names = list(evaluation.names)
    key = ranking_metric(evaluation)
    if key is not None:
        values = dict(zip(names, evaluation.per_image[TRAINED][key], strict=True))
        highest_first = evaluation.metrics[key].direction == "higher"
        ranked = [(value, name) for name, value in values.items() if value is not None]
        ranked.sort(key=lambda pair: pair[0], reverse=highest_first)
        names = [name for _, name in ranked] or names
    count = per_rank if len(names) >= 3 * per_rank else 1
    middle = max(0, (len(names) - count) // 2)
    chosen: dict[str, Rank] = {}
    ends: tuple[tuple[Rank, list[str]], ...] = (
        ("best", names[:count]),
        ("worst", names[-count:]),
        ("median", names[middle : middle + count]),
    )
    for rank, members in ends:
        for name in members:
            chosen.setdefault(name, rank)
    return {name: rank for wanted in RANKS for name, rank in chosen.items() if rank == wanted}


def inpaint_examples(
    generator: Generator[Any],
    baselines: Mapping[str, Generator[Any]],
    spec: Spec,
    dataset: Dataset[Any],
    evaluation: Evaluation,
    device: torch.device,
) -> list[Example]:
    """Inpaint the chosen images again, one at a time: an evaluation does not keep images in memory."""
    chosen = choose_examples(evaluation)
    key = ranking_metric(evaluation)
    values = dict(zip(evaluation.names, evaluation.per_image[TRAINED][key], strict=True)) if key else {}
    examples = []
    for painted in inpaint_each(generator, spec, dataset, list(chosen), device):
        batch, alpha = painted.batch, painted.alpha
        name = batch.names[0]
        inputs: dict[str, RgbImage] = {each: to_uint8(batch.show(each))[0] for each in spec.data.input_names}
        target = to_uint8(batch[BODY])[0]
        outputs = {TRAINED: painted.images[0]}
        gray = None if alpha is None else alpha[0].repeat(3, axis=-1)
        examples.append(Example(chosen[name], name, key, values.get(name), inputs, outputs, target, gray))
    for inpainter, baseline in baselines.items():
        data = build_dataset(spec, baseline.io.inputs)
        images = [each.images[0] for each in inpaint_each(baseline, spec, data, list(chosen), device)]
        examples = [
            replace(example, outputs={**example.outputs, inpainter: image})
            for example, image in zip(examples, images, strict=True)
        ]
    return examples


def inpaint_each(
    generator: Generator[Any],
    spec: Spec,
    dataset: Dataset[Any],
    names: Sequence[str],
    device: torch.device,
) -> list[InpaintedBatch]:
    """Inpaint samples one at a time; return each as a batch of one."""
    loader = Loader(dataset, names, batch_size=1)
    return list(inpaint_batches(generator, spec, covered(loader, spec), device))


class Shown(Protocol):
    """What is shown for a test image."""

    @property
    def rank(self) -> Rank:
        """Its rank among the test images."""

    @property
    def images(self) -> Mapping[str, RgbImage]:
        """All images by name, each uint8 RGB ``(H, W, 3)``."""


def save_examples(examples: Sequence[Shown], folder: Path) -> None:
    """Write the examples as PNG files, replacing those of an earlier evaluation.

    Raises:
        RunError: the folder cannot be written to.
    """
    shutil.rmtree(folder, ignore_errors=True)
    counts = dict.fromkeys(RANKS, 0)
    for example in examples:
        counts[example.rank] += 1
        for part, image in example.images.items():
            with replacing(folder / f"{example.rank}-{counts[example.rank]}-{part}.png") as temporary:
                Image.fromarray(image).save(temporary, format="PNG")
