"""Evaluating a whole inpainting run, with its report."""

from __future__ import annotations

import torch

from skinfw.assembly.assemble import build_baselines, build_dataset
from skinfw.evaluation.augmented import augmented_samples
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.examples import inpaint_examples, save_examples
from skinfw.evaluation.record import metrics_record
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.tone_groups import tones_json
from skinfw.inference.paint import ProgressCallback
from skinfw.reporting.report import write_report
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.data_record import current_fingerprint
from skinfw.runs.folder import Run
from skinfw.runs.split_record import split_of_run
from skinfw.specs.spec import inpainting_spec
from skinfw.system.json_file import write_json


def evaluate_inpainting(
    run: Run, checkpoint: Checkpoint, device: torch.device, progress: ProgressCallback | None = None
) -> Evaluation:
    """Evaluate a run's checkpoint on the test samples; write ``metrics.json`` and the report.

    Raises:
        RunError: it is not an inpainting checkpoint, or the run folder cannot be written to.
        DataError: the data cannot be read.
    """
    spec = inpainting_spec(checkpoint.spec, str(checkpoint.path))
    generator = load_generator(checkpoint, device)
    baselines = build_baselines(spec)
    dataset = build_dataset(spec)
    fingerprint = current_fingerprint(run, dataset, checkpoint.progress.data)
    split = split_of_run(run, dataset)
    evaluation = evaluate_generator(
        generator,
        spec,
        dataset,
        split.test,
        split="test",
        step=checkpoint.progress.step,
        device=device,
        baselines=baselines,
        progress=progress,
    )
    run.check_held()
    record = metrics_record(run, checkpoint, fingerprint, evaluation, skin_tones=tones_json(evaluation))
    write_json(run.metrics_path, record)
    usable = {name: each for name, each in baselines.items() if name not in evaluation.unavailable}
    examples = inpaint_examples(generator, usable, spec, dataset, evaluation, device)
    save_examples(examples, run.test_samples_folder)
    write_report(run, checkpoint, evaluation, examples, augmented_samples(spec, split.train))
    return evaluation
