"""Painting sample folders with a trained run: lossless, checked bit for bit, one batch in memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image

from skinfw.assembly.assemble import dataset_io
from skinfw.data.aspect import Aspects, fits, read_aspects
from skinfw.data.batch import collate
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import read_sample
from skinfw.data.sample_search import find_samples
from skinfw.errors import DataError, RunError, SkinfwError, listed
from skinfw.inference.composite import composite_mask
from skinfw.inference.mark import checkpoint_mark, png_mark, read_mark, sample_mark
from skinfw.inference.paint import InpaintedBatch, ProgressCallback, inpaint_batches
from skinfw.runs.checkpoints import load_generator, run_checkpoint
from skinfw.runs.folder import Run
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.system.devices import pick_device
from skinfw.system.json_file import replacing
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.paths_below import path_below

logger = logging.getLogger("skinfw")

SHOWN = 10
"""Names that a message lists before it only counts."""


def generate_folder(
    run: Run,
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
    """Paint sample folders and write each as ``<output>/<name>.png``, at the size that was trained on.

    The true image, ``body``, is not needed. What is painted and what is kept is settled as in training.

    Args:
        run: the trained run.
        samples: one sample folder, a folder of them at any depth, or a glob.
        output: folder of the written images.
        which: the best or the last checkpoint.
        device: where to paint; None for what the spec says.
        batch_size: samples at a time; None for the spec's ``eval_batch_size``.
        overwrite: replace images that are there already.
        resume: keep images that are there where the same checkpoint painted them from the same sample, and
            paint the others.
        on_error: what a sample that cannot be used does: be left out and named in the end, or stop at once.
            One that cannot be read, or whose shape is not that of the training samples, cannot be used:
            resizing would squash the person.
        progress: called with the number of finished samples and the total.

    Returns:
        the images that were painted or kept, in the order of their names.

    Raises:
        RunError: the run is not of inpainting, there is no readable checkpoint, images are there already
            (with ``resume``: edited or of another checkpoint), or one cannot be written.
        DataError: there are no samples, or some could not be used; all others were written. Or none had
            anything to paint: what was written are copies of the inputs.
        SkinfwError: a written image differs from its input where it should not; it was not kept.
    """
    inpainting_spec(run.spec, run.folder)
    base, names = find_samples(Path(os.path.normpath(Path(samples).absolute())))
    targets = {name: path_below(Path(output), f"{name}.png") for name in sorted(names)}
    if not (overwrite or resume):
        _reject_existing(list(targets.values()))
    checkpoint = run_checkpoint(run, which)
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
            progress(len(written) + len(reader.kept) + len(reader.failed), len(targets))
    if reader.kept:
        logger.info("%d images were there already and were kept", len(reader.kept))
    usable = len(written) + len(reader.kept)
    nothing = _nothing_to_paint(reader.unpainted, usable, spec)
    if reader.failed:
        told = _told(reader.failed, len(targets), Path(output))
        raise DataError("\n".join(each for each in (told, nothing) if each))
    if nothing and len(reader.unpainted) == usable:
        raise DataError(f"{nothing}; the files in {output} are copies of the inputs")
    if nothing:
        logger.warning("%s; their files are copies of the inputs", nothing)
    return sorted([*written, *(targets[name] for name in reader.kept)])


def _nothing_to_paint(names: Sequence[str], total: int, spec: Spec) -> str:
    """Say which of the samples have nothing to paint, or return an empty text."""
    if not names:
        return ""
    why = {"skin": "segmentation_skin is all black", "mask": "their inpainting mask is empty"}.get(
        spec.composite, "apparel_head_foot keeps every pixel"
    )
    return f"{len(names)} of {total} samples have nothing to paint, because {why}: {listed(names, SHOWN)}"


def _reject_existing(paths: Sequence[Path]) -> None:
    existing = [path for path in paths if path.exists()]
    if existing:
        raise RunError(
            f"{_first(existing)}: exists already; go on with --resume, replace with --overwrite (in Python: "
            "resume=True, overwrite=True), or write elsewhere"
        )


def _marked(targets: Mapping[str, Path], mark: str) -> dict[str, str]:
    """Return what the images that are there were painted from, by name.

    Raises:
        RunError: something else than this checkpoint made one of them.
    """
    marks = {name: read_mark(path) for name, path in targets.items() if path.exists()}
    strange = [targets[name] for name, found in marks.items() if found is None or found[0] != mark]
    if strange:
        raise RunError(
            f"{_first(strange)}: edited, or painted by another checkpoint; delete what is to be painted "
            "again, replace all with --overwrite, or write elsewhere"
        )
    return {name: found[1] for name, found in marks.items() if found is not None}


def _first(paths: Sequence[Path]) -> str:
    return f"{paths[0]} and {len(paths) - 1} more" if len(paths) > 1 else f"{paths[0]}"


class _Reader:
    """Reads samples in batches and collects those that cannot be used, or need not be painted again."""

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
        self.on_error = on_error
        self.there = there
        self.failed: list[str] = []
        self.kept: list[str] = []
        self.unpainted: list[str] = []
        self.marks: dict[str, str] = {}

    def batches(self, names: Sequence[str], size: int) -> Iterator[list[Sample]]:
        """Yield lists of at most ``size`` samples, none of them empty."""
        for start in range(0, len(names), size):
            samples = []
            for name in names[start : start + size]:
                try:
                    sample = read_sample(self.base / name, name, self.io, needs_target=False)
                    self._check_shape(sample)
                except DataError as error:
                    if self.on_error == "fail":
                        raise
                    self.failed.append(str(error))
                    if len(self.failed) > SHOWN:  # the error in the end names the first ones
                        logger.warning("left out: %s", error)
                    continue
                if not self._paints(sample):
                    self.unpainted.append(name)
                self.marks[name] = sample_mark(sample)
                if self.there.get(name) == self.marks[name]:
                    self.kept.append(name)
                else:
                    samples.append(sample)
            if samples:
                yield samples

    def _paints(self, sample: Sample) -> bool:
        """Return whether there is anything in a sample that the run paints."""
        return bool(composite_mask(self.spec.composite, collate([sample])).any())

    def _check_shape(self, sample: Sample) -> None:
        """Reject a sample of another shape than those of the training.

        Raises:
            DataError: it is higher or wider.
        """
        size = sample.source_size
        if size is None or fits(size, self.aspects):
            return
        low, high = self.aspects
        trained = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        height, width = self.spec.data.size
        raise DataError(
            f"{self.base / sample.name}: {size[0]}x{size[1]} pixels (height x width), "
            f"{size[0] / size[1]:.2f} times as high as wide; the run was trained on samples "
            f"{trained} times as high as wide, at {height}x{width}, and resizing would squash the person. "
            "Prepare the photo as the training photos were, for instance with "
            f"--crop person --aspect {low:.3g}"
        )


def _told(failed: Sequence[str], total: int, output: Path) -> str:
    lines = [f"  {each}" for each in failed[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"  and {len(failed) - SHOWN} more; the warnings above name them")
    others = "nothing was written" if len(failed) == total else f"the others were painted into {output}"
    head = f"{len(failed)} of {total} samples could not be used; {others}"
    return "\n".join([head, *lines])


def _write(
    painted: InpaintedBatch, targets: Mapping[str, Path], checkpoint: str, samples: Mapping[str, str]
) -> list[Path]:
    """Write the images of a batch, each only after what was written has been read back and checked."""
    written = []
    for index, name in enumerate(painted.batch.names):
        path = targets[name]
        with replacing(path) as temporary:
            image = painted.images[index]
            made_of = png_mark(checkpoint, samples[name], image)
            Image.fromarray(image).save(temporary, format="PNG", pnginfo=made_of)
            with Image.open(temporary) as file:
                read_back = np.asarray(file.convert("RGB"), np.uint8)
            changed = painted.violations(index, read_back)
            if changed:
                raise SkinfwError(
                    f"{path}: {changed} pixels outside the painted region differ from the input, so it was "
                    "not written; check the disk, and report this if it persists"
                )
        written.append(path)
    return written
