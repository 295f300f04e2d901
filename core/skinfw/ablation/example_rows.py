"""The same test images, inpainted by every variant of an ablation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skinfw.ablation.results import AblationResult
from skinfw.ablation.run_result import RunResult
from skinfw.assembly.assemble import build_baselines, build_dataset
from skinfw.components.field_names import BODY
from skinfw.data.batch import collate
from skinfw.data.segmentation import RgbImage
from skinfw.errors import SkinfwError
from skinfw.evaluation.covered import covered
from skinfw.evaluation.examples import Rank, choose_examples, inpaint_named, ranking_metric
from skinfw.inference.composite import to_uint8
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import reject_untrusted, run_checkpoint
from skinfw.runs.folder import Run
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.system.devices import pick_device

logger = logging.getLogger("skinfw")


@dataclass(frozen=True)
class ImageRow:
    """One test image inpainted by all variants; every image is uint8 RGB ``(H, W, 3)``.

    Attributes:
        rank: its rank among the test images of the run that chose the rows.
        name: the sample's name.
        inputs: the input images of all variants by name.
        target: the real image.
        outputs: the inpainted images, by variant.
        baselines: the inpainted images, by baseline.
        values: the ranking metric's value, by variant; None for no value.
    """

    rank: Rank
    name: str
    inputs: Mapping[str, RgbImage]
    target: RgbImage
    outputs: Mapping[str, RgbImage]
    baselines: Mapping[str, RgbImage]
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class ImageRows:
    """The rows, and what they have in common.

    Attributes:
        rows: the best, the median and the worst images of ``chosen_by``.
        chosen_by: the run whose ranking chose them.
        metric: the ranking metric, ``region/name``, or None.
        missing: why a variant has no images, by its name.
    """

    rows: Sequence[ImageRow]
    chosen_by: str
    metric: str | None
    missing: Mapping[str, str]


def inpaint_rows(result: AblationResult) -> ImageRows:
    """Inpaint the same test images with the best weights of each variant's first measured run.

    Args:
        result: an ablation; the rows are empty if no run was measured.

    Raises:
        SkinfwError: the samples cannot be read.
    """
    anchor = result.anchor
    if anchor is None or anchor.evaluated is None:
        return ImageRows([], "", None, {})
    chosen = choose_examples(anchor.evaluated.evaluation)
    metric = ranking_metric(anchor.evaluated.evaluation)
    names = list(chosen)
    outputs: dict[str, list[RgbImage]] = {}
    values: dict[str, Mapping[str, float | None]] = {}
    missing = {each.name: each.incomparable or "no run is done" for each in result.variants}
    for variant in result.comparable:
        first = variant.done[0]
        try:
            outputs[variant.name] = _paint(first, names)
        except SkinfwError as error:
            logger.warning("%s: its images cannot be inpainted: %s", first.planned.label, error)
            missing[variant.name] = str(error)
        else:
            del missing[variant.name]
            values[variant.name] = {} if metric is None else first.images(metric)
    spec = anchor.planned.spec
    inputs = [name for run in result.runs for name in run.planned.spec.data.input_names]
    dataset = build_dataset(spec, inputs)
    samples = list(covered((collate([dataset.load(name)]) for name in names), spec))
    baselines = _inpaint_baselines(spec, names)
    rows = [
        ImageRow(
            rank=chosen[name],
            name=name,
            inputs={each: to_uint8(sample.show(each))[0] for each in dict.fromkeys(inputs)},
            target=to_uint8(sample[BODY])[0],
            outputs={variant: images[index] for variant, images in outputs.items()},
            baselines={baseline: images[index] for baseline, images in baselines.items()},
            values={variant: found.get(name) for variant, found in values.items()},
        )
        for index, (name, sample) in enumerate(zip(names, samples, strict=True))
    ]
    return ImageRows(rows, anchor.planned.label, metric, missing)


def _paint(run: RunResult, names: Sequence[str]) -> list[RgbImage]:
    checkpoint = run_checkpoint(Run(run.planned.folder, run.planned.spec, "spec"), "best")
    reject_untrusted(checkpoint)
    spec = inpainting_spec(checkpoint.spec, checkpoint.path)
    device = pick_device(spec.training.device)
    generator = load_generator(checkpoint, device)
    return [each.images[0] for each in inpaint_named(generator, spec, build_dataset(spec), names, device)]


def _inpaint_baselines(spec: Spec, names: Sequence[str]) -> dict[str, list[RgbImage]]:
    device = pick_device(spec.training.device)
    painted: dict[str, list[RgbImage]] = {}
    for name, baseline in build_baselines(spec).items():
        try:
            dataset = build_dataset(spec, baseline.io.inputs)
            found = inpaint_named(baseline.to(device), spec, dataset, names, device)
            painted[name] = [each.images[0] for each in found]
        except SkinfwError as error:
            logger.warning("baseline %s is missing from the images: %s", name, error)
    return painted
