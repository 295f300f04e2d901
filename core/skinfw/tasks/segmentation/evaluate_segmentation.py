"""Evaluating a trained segmentation network, and a whole run with its report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

import torch

from skinfw.components.field_names import LABELS
from skinfw.components.registry import TRAINED
from skinfw.data.loading import Loader
from skinfw.data.sample_cache import SampleCache
from skinfw.errors import DataError, RunError
from skinfw.evaluation.examples import Example, Part, choose_examples, shown_names
from skinfw.evaluation.gallery import replacing_gallery
from skinfw.evaluation.results import Evaluation, SplitName
from skinfw.evaluation.together import ALONE, Together, in_parts, own_part, reject_together
from skinfw.runs.result_folder import ResultFolder
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.system.devices import device_name
from skinfw.tasks.measured import Measured, SharedTest, Steps
from skinfw.tasks.segmentation.confusion import LabelMetrics
from skinfw.tasks.segmentation.label import Network, load_network, predict, segmentation_spec
from skinfw.tasks.segmentation.label_images import KINDS, label_row
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw.tasks.segmentation.report import write_segmentation_report

logger = logging.getLogger("skinfw")


def labeled_loader(
    spec: SegmentationSpec,
    photos: LabeledPhotos,
    names: Sequence[str],
    *,
    device: torch.device,
    skip_corrupt: bool | None = None,
    cache: SampleCache | None = None,
) -> Loader:
    """Return the loader of photos in batches for evaluation; by default the spec handles corrupt ones."""
    skip = spec.data.on_corrupt == "skip" if skip_corrupt is None else skip_corrupt
    return Loader(
        photos if cache is None else cache.reading(photos),
        names,
        batch_size=spec.training.eval_batch_size,
        num_workers=spec.data.num_workers,
        device=device,
        skip_corrupt=skip,
    )


def evaluate_network(
    network: Network,
    spec: SegmentationSpec,
    photos: LabeledPhotos,
    names: Sequence[str],
    *,
    split: SplitName,
    step: int,
    device: torch.device,
    cache: SampleCache | None = None,
    progress: Callable[[int, int], None] | None = None,
    together: Together = ALONE,
) -> Evaluation:
    """Segment photos at the training size and evaluate the result.

    Args:
        network: the trained network, on ``device``.
        spec: defines how photos are loaded.
        photos: their source.
        names: the photos.
        split: the name of their split, for the record.
        step: training steps of the weights.
        device: the device.
        cache: caches decoded photos of the data, if given.
        progress: called with the number of finished photos and the total.
        together: the processes among which the photos are shared out; all call this with the same arguments.
            In all but the first one, the result has no values.

    Raises:
        DataError: a photo cannot be read and the spec does not skip it, or none can be read.
    """
    metrics = LabelMetrics(photos.classes, spec.data.size)
    own = own_part(names, spec.training.eval_batch_size, together)

    def measure() -> tuple[list[str], list[tuple[float, int]]]:
        segmented: list[str] = []
        times: list[tuple[float, int]] = []
        for batch in labeled_loader(spec, photos, own, device=device, cache=cache):
            began = time.perf_counter()
            found = predict(network, batch, device)
            times.append((time.perf_counter() - began, len(batch.names)))
            metrics.update(found, batch[LABELS].to(device))
            segmented += batch.names
            if progress is not None:
                progress(min(len(segmented) * together.count, len(names)), len(names))
        return segmented, times

    segmented, times = in_parts(measure, together)
    measured = [name for each in together.exchange(segmented) for name in each]
    error = DataError(f"none of the {len(names)} photos to evaluate can be read; the warnings above say why")
    reject_together(None if measured else error, together)
    parts = together.collect((times, metrics.added()))
    for _, added in parts[1:]:
        metrics.add(added)
    # the first batch of a process includes the warm-up
    counted = [each for times, _ in parts for each in (times[1:] or times)]
    seconds = sum(each for each, _ in counted) / sum(images for _, images in counted) if counted else None
    values = metrics.values() if parts else {}
    return Evaluation(
        split=split,
        step=step,
        names=measured,
        metrics=metrics.info,
        values={TRAINED: values},
        per_image={TRAINED: metrics.per_image() if parts else {}},
        violations={},
        seconds_per_image={TRAINED: seconds},
        unavailable={
            f"{TRAINED}/{key}": "no pixel belongs to this class"
            for key, value in values.items()
            if value is None
        },
        task="segmentation",
        device=device_name(device),
    )


def label_examples(
    network: Network,
    spec: SegmentationSpec,
    photos: LabeledPhotos,
    evaluation: Evaluation,
    device: torch.device,
) -> Iterator[Example]:
    """Segment the photos that a report shows again.

    Yields:
        the photos of `shown_names` in its order.
    """
    ranks = choose_examples(evaluation)
    for batch in labeled_loader(spec, photos, shown_names(evaluation), device=device):
        found = predict(network, batch, device)
        for index, name in enumerate(batch.names):
            row = label_row(batch, index, found[index])
            parts = {part: Part(KINDS[part], image) for part, image in row.items()}
            yield Example(name, ranks.get(name), parts)


def evaluate_segmentation(
    measured: Measured,
    results: ResultFolder,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
    together: Together = ALONE,
) -> Evaluation:
    """Evaluate a segmentation run's checkpoint; write the metrics and the report.

    Args:
        measured: the run, the checkpoint and the photos.
        results: where the files go.
        device: the device.
        progress: called with the number of finished photos and the total.
        together: the processes of the run; the others call `help_segmentation`.

    Raises:
        RunError: it is not a segmentation checkpoint, or the files cannot be written.
        DataError: the data cannot be read.
    """
    run, checkpoint = measured.run, measured.checkpoint
    network, classes = load_network(checkpoint, device)
    spec = segmentation_spec(checkpoint)
    photos: LabeledPhotos = measured.source
    if photos.classes.names != classes.names:
        known, found = (", ".join(each.names) for each in (classes, photos.classes))
        raise RunError(
            f"{checkpoint.path}: the network has the classes {known}, but the label maps {found}; give label "
            "maps with the classes of its training"
        )
    steps = Steps(progress, len(measured.names))
    together.from_first(measured.shared)
    evaluation = evaluate_network(
        network,
        spec,
        photos,
        measured.names,
        split=measured.split,
        step=checkpoint.progress.step,
        device=device,
        cache=SampleCache(spec.data.sample_cache, photos),
        progress=steps.evaluated,
        together=together,
    )
    evaluation = measured.labeled(evaluation)
    measured.write_metrics(results, evaluation)
    examples = label_examples(network, spec, photos, evaluation, device)
    parameters = sum(each.numel() for each in network.parameters() if each.requires_grad)
    with replacing_gallery(examples, results.test_samples_folder, steps.shown) as gallery:
        write_segmentation_report(
            run,
            checkpoint,
            evaluation,
            gallery,
            classes,
            parameters,
            path=results.report_path,
            warning=measured.warning,
        )
    return evaluation


def help_segmentation(
    shared: SharedTest,
    photos: LabeledPhotos,
    cache: SampleCache,
    device: torch.device,
    together: Together,
) -> None:
    """Measure this process's part of the test photos, while the first one calls `evaluate_segmentation`."""
    network, _ = load_network(shared.checkpoint, device)
    spec = segmentation_spec(shared.checkpoint)
    evaluate_network(
        network,
        spec,
        photos,
        shared.names,
        split="test",
        step=shared.checkpoint.progress.step,
        device=device,
        cache=cache,
        together=together,
    )
