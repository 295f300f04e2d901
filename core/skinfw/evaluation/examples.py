"""The images of an evaluation, and which of them are its best, median and worst ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from skinfw.assembly.assemble import build_dataset
from skinfw.components.direction import badness
from skinfw.components.field_names import APPAREL, BODY
from skinfw.components.registry import ALPHA, TRAINED
from skinfw.data.loading import Loader
from skinfw.data.sample_cache import Readable, SampleCache
from skinfw.data.segmentation import RgbImage
from skinfw.evaluation.covered import covered
from skinfw.evaluation.error_map import error_image
from skinfw.evaluation.results import Evaluation
from skinfw.inference.composite import to_uint8
from skinfw.inference.paint import InpaintedBatch, inpaint_batches
from skinfw.interfaces import Dataset, Generator
from skinfw.specs.spec import Spec

Rank = Literal["best", "median", "worst"]
RANKS: tuple[Rank, ...] = ("best", "median", "worst")

_PLACES: Mapping[Rank, str] = {"best": "first", "median": "middle", "worst": "last"}

PER_RANK = 2
"""Images per rank, if there are enough for all to differ."""

MOST = 2000
"""Images that a report shows at most."""


@dataclass(frozen=True)
class Part:
    """One image of an example.

    Attributes:
        kind: what it is, in a word or two.
        image: uint8 RGB ``(H, W, 3)``.
        main: whether it is seen at first sight, not only when looking closer.
    """

    kind: str
    image: RgbImage
    main: bool = True


@dataclass(frozen=True)
class Example:
    """One test image with everything that belongs to it.

    Attributes:
        name: the sample's name.
        rank: its rank among the test images; None for the many without one.
        parts: its images of one size by name, from left to right, the main ones first.
    """

    name: str
    rank: Rank | None
    parts: Mapping[str, Part]


def ranking_metric(evaluation: Evaluation) -> str | None:
    """Return the ranking metric: the monitor, or else the first metric with a value per image."""
    known = evaluation.per_image[TRAINED]
    monitored = evaluation.monitored_metric()
    return monitored if monitored in known else next(iter(known), None)


def rank_text(rank: Rank, metric: str | None) -> str:
    """Return the word for a rank by a ranking metric; for its place if there is none.

    Example:
        >>> rank_text("best", "skin/psnr"), rank_text("best", None)
        ('best', 'first')
    """
    return _PLACES[rank] if metric is None else rank


def choose_examples(evaluation: Evaluation, per_rank: int = PER_RANK) -> dict[str, Rank]:
    """Return the names of the best, median and worst images; no image has two ranks.

    Images without a value (without the region) are not chosen; without a ranking metric, the first, middle
    and last ones are.

    Args:
        evaluation: the results.
        per_rank: images per rank; only one each if there are fewer than ``3 * per_rank``.
    """
    names = _ranked(evaluation) or list(evaluation.names)
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


def shown_names(evaluation: Evaluation, most: int = MOST) -> list[str]:
    """Return the samples that a report shows, best first; those without a value come last.

    Args:
        evaluation: the results.
        most: if there are more samples, those of `choose_examples` and others evenly over the ranking.
    """
    names = _ranked(evaluation)
    ranked = set(names)
    names += [name for name in evaluation.names if name not in ranked]
    if len(names) <= most:
        return names
    chosen = choose_examples(evaluation)
    rest = [name for name in names if name not in chosen]
    count = max(0, most - len(chosen))
    kept = {*chosen, *(rest[place * len(rest) // count] for place in range(count))}
    return [name for name in names if name in kept]


def _ranked(evaluation: Evaluation) -> list[str]:
    """Return the names of the images with a value, best first; all names without a ranking metric."""
    names = list(evaluation.names)
    key = ranking_metric(evaluation)
    if key is None:
        return names
    values = zip(evaluation.per_image[TRAINED][key], names, strict=True)
    ranked = [(value, name) for value, name in values if value is not None]
    direction = evaluation.metrics[key].direction
    ranked.sort(key=lambda pair: badness(pair[0], direction))
    return [name for _, name in ranked]


def inpainted_examples(
    generator: Generator[Any],
    baselines: Mapping[str, Generator[Any]],
    spec: Spec,
    dataset: Dataset[Any],
    evaluation: Evaluation,
    device: torch.device,
    cache: SampleCache | None = None,
) -> Iterator[Example]:
    """Inpaint the samples that a report shows again, in batches: an evaluation keeps no images in memory.

    Args:
        generator: the trained generator, on ``device``.
        baselines: the baselines, on ``device``, by name.
        spec: defines the composite and how samples are loaded.
        dataset: the source of the samples, with the generator's inputs.
        evaluation: the results.
        device: the device.
        cache: caches decoded samples of the data, if given.

    Yields:
        the samples of `shown_names` in its order.
    """
    names, ranks = shown_names(evaluation), choose_examples(evaluation)

    def inpaint(each: Generator[Any], source: Dataset[Any]) -> Iterator[InpaintedBatch]:
        samples = source if cache is None else cache.reading(source)
        return inpaint_named(each, spec, samples, names, device, batch_size=spec.training.eval_batch_size)

    others = {
        name: inpaint(baseline, build_dataset(spec, baseline.io.inputs))
        for name, baseline in baselines.items()
    }
    for painted, *more in zip(inpaint(generator, dataset), *others.values(), strict=True):
        images = dict(zip(others, (each.images for each in more), strict=True))
        parts = _parts(painted, spec, images)
        for index, name in enumerate(painted.batch.names):
            yield Example(name, ranks.get(name), {part: each.of(index) for part, each in parts.items()})


@dataclass(frozen=True)
class _Parts:
    """The same part of each example of a batch; ``images`` is uint8 RGB ``(B, H, W, 3)``."""

    kind: str
    images: RgbImage
    main: bool = True

    def of(self, index: int) -> Part:
        return Part(self.kind, self.images[index], self.main)


def _parts(painted: InpaintedBatch, spec: Spec, baselines: Mapping[str, RgbImage]) -> dict[str, _Parts]:
    names = spec.data.input_names
    first = APPAREL if APPAREL in names else names[0]
    shown = {name: to_uint8(painted.batch.show(name)) for name in names}
    outputs, targets = painted.images, to_uint8(painted.batch[BODY])
    errors = np.stack([error_image(*pair) for pair in zip(outputs, targets, strict=True)])
    parts = {
        first: _Parts("input", shown[first]),
        "output": _Parts("inpainted", outputs),
        "target": _Parts("ground truth", targets),
        **{name: _Parts("baseline", images) for name, images in baselines.items()},
        "error": _Parts("difference from target", errors),
        **{name: _Parts("input", images, main=False) for name, images in shown.items() if name != first},
    }
    if painted.alpha is not None:
        parts[ALPHA] = _Parts("skin found", painted.alpha.repeat(3, axis=-1), main=False)
    return parts


def inpaint_named(
    generator: Generator[Any],
    spec: Spec,
    samples: Readable,
    names: Sequence[str],
    device: torch.device,
    *,
    batch_size: int = 1,
) -> Iterator[InpaintedBatch]:
    """Inpaint samples by name, in their order, as in an evaluation.

    Raises:
        DataError: one of them cannot be read.
    """
    loader = Loader(samples, names, batch_size=batch_size)
    return inpaint_batches(generator, spec, covered(loader, spec), device)
