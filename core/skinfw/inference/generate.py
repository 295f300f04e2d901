"""Inpainting sample folders with a trained run: lossless, verified bit by bit, one batch in memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch

from skinfw.assembly.inputs import dataset_io
from skinfw.data.aspect import Aspects, read_aspects, reject_other_shape
from skinfw.data.batch import collate
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import read_sample
from skinfw.data.sample_search import find_samples
from skinfw.errors import DataError, RunError, counted
from skinfw.inference.mark import checkpoint_mark, png_mark, read_mark, sample_mark
from skinfw.inference.paint import InpaintedBatch, ProgressCallback, inpaint_batches
from skinfw.inference.sample_writing import SampleProblems, write_checked
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.folder import Run
from skinfw.runs.trained import Trained, checkpoint_of
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.system.devices import pick_device
from skinfw.system.existing import reject_existing
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.paths_below import path_below

logger = logging.getLogger("skinfw")


def generate_folder(
    run: Trained,
    samples: str | Path,
    output: str | Path,
    *,
    which: Literal["best", "last"] = "best",
    device: torch.device | None = None,
    batch_size: int | None = None,
    overwrite: bool = False,
    resume: bool = False,
    on_error: Literal["skip", "fail"] = "skip",
    progress: ProgressCallback | None = None,
) -> list[Path]:
    """Inpaint sample folders and write each as ``<output>/<name>.png``, at the training size.

    The target, ``body``, is not needed. The composite is the same as in training.

    Args:
        run: the trained run, or a checkpoint without its run.
        samples: one sample folder, a folder of them at any depth, or a glob.
        output: folder of the written images.
        which: the best or the last checkpoint of a run.
        device: the device; None for that of the spec.
        batch_size: samples per batch; None for the spec's ``eval_batch_size``.
        overwrite: replace existing images.
        resume: keep existing images made from the same sample by the same checkpoint, and inpaint the others.
        on_error: skip unusable samples and list them at the end, or stop at the first. A sample is unusable
            if it cannot be read, or if its shape differs from the training samples: resizing would distort
            the person.
        progress: called with the number of finished samples and the total.

    Returns:
        the inpainted and kept images, sorted by name.

    Raises:
        RunError: the run is not for inpainting or has no readable checkpoint, images already exist
            (with ``resume``: edited or from another checkpoint), or one cannot be written.
        DataError: no sample was found, or some were unusable and all others were written. Or none had
            anything to inpaint, and the written files are copies of the inputs.
        SkinfwError: a written image differs from its input outside the mask; it was discarded.
    """
    inpainting_spec(run.spec, run.folder if isinstance(run, Run) else run.path)
    base, names = find_samples(Path(os.path.normpath(Path(samples).absolute())))
    targets = {name: path_below(Path(output), f"{name}.png") for name in sorted(names)}
    if not resume:
        reject_existing(targets.values(), overwrite=overwrite, resumable=True)
    checkpoint = checkpoint_of(run, which)
    mark = checkpoint_mark(checkpoint.path)
    there = _marked(targets, mark) if resume and not overwrite else {}
    remove_leftovers(Path(output), deep=True)
    spec = inpainting_spec(checkpoint.spec, checkpoint.path)
    device = device or pick_device(spec.training.device)
    generator = load_generator(checkpoint, device)
    aspects = read_aspects(checkpoint.about.get("aspects"), spec.data.size)
    reader = _Reader(base, spec, aspects, on_error, there)
    batches = reader.batches(list(targets), batch_size or spec.training.eval_batch_size)
    written: list[Path] = []
    for painted in inpaint_batches(generator, spec, (collate(each) for each in batches), device):
        written += _write(painted, targets, mark, reader.marks)
        if progress is not None:
            progress(len(written) + len(reader.kept) + len(reader.problems.failed), len(targets))
    if reader.kept:
        logger.info("kept %s", counted(len(reader.kept), "existing image"))
    reader.problems.tell(spec.composite, len(written) + len(reader.kept), Path(output))
    return sorted([*written, *(targets[name] for name in reader.kept)])


def _marked(targets: Mapping[str, Path], mark: str) -> dict[str, str]:
    """Return what the existing images were made from, by name.

    Raises:
        RunError: one of them was not made by this checkpoint.
    """
    marks = {name: read_mark(path) for name, path in targets.items() if path.exists()}
    strange = [targets[name] for name, found in marks.items() if found is None or found[0] != mark]
    if strange:
        raise RunError(
            f"{_first(strange)}: edited, or made by another checkpoint; delete the images to inpaint again, "
            "replace all with --overwrite, or write elsewhere"
        )
    return {name: found[1] for name, found in marks.items() if found is not None}


def _first(paths: Sequence[Path]) -> str:
    return f"{paths[0]} and {len(paths) - 1} more" if len(paths) > 1 else f"{paths[0]}"


class _Reader:
    """Reads samples in batches and collects those that are unusable or already inpainted."""

    def __init__(
        self,
        base: Path,
        spec: Spec,
        aspects: Aspects,
        on_error: Literal["skip", "fail"],
        there: Mapping[str, str],
    ) -> None:
        self.base = base
        self.spec = spec
        self.io = dataset_io(spec, ())
        self.aspects = aspects
        self.problems = SampleProblems(on_error)
        self.there = there
        self.kept: list[str] = []
        self.marks: dict[str, str] = {}

    def batches(self, names: Sequence[str], size: int) -> Iterator[list[Sample]]:
        """Yield lists of at most ``size`` samples, none of them empty."""
        for start in range(0, len(names), size):
            samples = []
            for name in names[start : start + size]:
                try:
                    sample = read_sample(self.base / name, name, self.io, needs_target=False)
                    reject_other_shape(
                        sample.source_size, self.aspects, self.spec.data.size, self.base / name
                    )
                except DataError as error:
                    self.problems.skip(error)
                    continue
                self.problems.check(self.spec.composite, sample)
                self.marks[name] = sample_mark(sample)
                if self.there.get(name) == self.marks[name]:
                    self.kept.append(name)
                else:
                    samples.append(sample)
            if samples:
                yield samples


def _write(
    painted: InpaintedBatch, targets: Mapping[str, Path], checkpoint: str, samples: Mapping[str, str]
) -> list[Path]:
    """Write the images of a batch, reading each back to verify it."""
    written = []
    for index, name in enumerate(painted.batch.names):
        image = painted.images[index]
        made_of = png_mark(checkpoint, samples[name], image)
        write_checked(targets[name], image, painted.bases[index], painted.painted[index], made_of)
        written.append(targets[name])
    return written
