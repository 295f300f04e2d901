"""Evaluating a whole inpainting run, with its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from skinfw.assembly.assemble import build_baselines
from skinfw.components.reference import numbered
from skinfw.components.variables import STORED
from skinfw.data.aspect import read_aspects
from skinfw.data.sample_cache import SampleCache
from skinfw.evaluation.augmented import augmented_samples
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.examples import inpainted_examples
from skinfw.evaluation.gallery import replacing_gallery
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.together import ALONE, Together
from skinfw.evaluation.tone_groups import tones_json
from skinfw.inference.paint import ProgressCallback
from skinfw.interfaces import Dataset, Generator
from skinfw.reporting.report import write_report
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.result_folder import ResultFolder
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.tasks.inpainting.fitting import FittingDataset
from skinfw.tasks.measured import Measured, SharedTest, Steps


def evaluate_inpainting(
    measured: Measured,
    results: ResultFolder,
    device: torch.device,
    progress: ProgressCallback | None = None,
    together: Together = ALONE,
) -> Evaluation:
    """Evaluate an inpainting run's checkpoint; write the metrics and the report.

    Args:
        measured: the run, the checkpoint and the samples.
        results: where the files go.
        device: the device.
        progress: called with the number of finished samples and the total.
        together: the processes of the run; the others call `help_inpainting`.

    Raises:
        RunError: it is not an inpainting checkpoint, or the files cannot be written.
        SkinfwError: a baseline that the user added cannot inpaint the samples.
        DataError: the data cannot be read, or are shaped differently from the training samples.
    """
    run, checkpoint = measured.run, measured.checkpoint
    spec = inpainting_spec(checkpoint.spec, str(checkpoint.path))
    generator = load_generator(checkpoint, device)
    baselines = build_baselines(spec)
    dataset = measured.source
    if measured.other is not None:
        dataset = FittingDataset(dataset, read_aspects(checkpoint.about.get("aspects"), spec.data.size))
    cache = SampleCache(spec.data.sample_cache, measured.source)
    steps = Steps(progress, len(measured.names))
    together.from_first(measured.shared)
    evaluation = evaluate_generator(
        generator,
        spec,
        dataset,
        measured.names,
        split=measured.split,
        step=checkpoint.progress.step,
        device=device,
        baselines=baselines,
        required=list(baselines)[len(baselines) - measured.added_baselines :],
        cache=cache,
        progress=steps.evaluated,
        together=together,
    )
    sources = Counter(filter(None, map(dataset.mask_source, evaluation.names)))
    evaluation = replace(measured.labeled(evaluation), computed_masks=dict(sources))
    usable = {name: each for name, each in baselines.items() if name not in evaluation.unavailable}
    about = {"skin_tones": tones_json(evaluation), "baselines": _origins(spec, usable)}
    measured.write_metrics(results, evaluation, **about)
    examples = inpainted_examples(generator, usable, spec, dataset, evaluation, device, cache)
    with replacing_gallery(examples, results.test_samples_folder, steps.shown) as gallery:
        augmented = augmented_samples(spec, measured.train) if measured.train else ()
        write_report(
            run,
            checkpoint,
            evaluation,
            gallery,
            augmented,
            path=results.report_path,
            warning=measured.warning,
        )
    return evaluation


def help_inpainting(
    shared: SharedTest,
    dataset: Dataset[Any],
    cache: SampleCache,
    device: torch.device,
    together: Together,
) -> None:
    """Measure this process's part of the test samples, while the first one calls `evaluate_inpainting`."""
    spec = inpainting_spec(shared.checkpoint.spec, str(shared.checkpoint.path))
    evaluate_generator(
        load_generator(shared.checkpoint, device),
        spec,
        dataset,
        shared.names,
        split="test",
        step=shared.checkpoint.progress.step,
        device=device,
        baselines=build_baselines(spec),
        cache=cache,
        together=together,
    )


def _origins(spec: Spec, usable: Mapping[str, Generator[Any]]) -> dict[str, Any]:
    """Return what measured baselines are, by their names in the results."""
    references = numbered(spec.baselines)
    return {
        name: {"component": references[name].to_json({STORED: True}), "fingerprint": each.fingerprint()}
        for name, each in usable.items()
    }
