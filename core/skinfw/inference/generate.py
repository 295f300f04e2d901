"""Painting sample folders with a trained run: lossless, checked bit for bit, one batch in memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image

from skinfw.data.batch import collate
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import read_sample
from skinfw.data.sample_search import find_samples
from skinfw.devices import pick_device
from skinfw.errors import DataError, RunError, SkinfwError
from skinfw.inference.paint import PaintedBatch, ProgressCallback, paint_batches
from skinfw.jsonfile import replacing
from skinfw.paths_below import path_below
from skinfw.run_folder import Run
from skinfw.spec import Spec, painting_spec
from skinfw.training.checkpoints import load_generator, read_checkpoint

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
    on_error: Literal["skip", "fail"] = "skip",
    progress: ProgressCallback | None = None,
) -> list[Path]:
    """Paint sample folders and write each as ``<output>/<name>.png``, at the size that was trained on.

    The true picture, ``body``, is not needed. What is painted and what is kept is settled as in training.

    Args:
        run: the trained run.
        samples: one sample folder, a folder of them at any depth, or a glob.
        output: folder of the written pictures.
        which: the best or the last checkpoint.
        device: where to paint; None for what the spec says.
        batch_size: samples at a time; None for the spec's ``test_batch_size``.
        overwrite: replace pictures that are there already.
        on_error: what a sample that cannot be read does: be left out and told in the end, or stop at once.
        progress: is told how far it is.

    Returns:
        the files that were written.

    Raises:
        RunError: the run is not of painting, there is no readable checkpoint, pictures are there already, or
            one cannot be written.
        DataError: there are no samples, or some could not be read; all others were written.
        SkinfwError: a written picture differs from its input where it should not; it was not kept.
    """
    painting_spec(run.spec, run.folder)
    base, names = find_samples(Path(os.path.normpath(Path(samples).absolute())))
    targets = {name: path_below(Path(output), f"{name}.png") for name in sorted(names)}
    if not overwrite:
        _refuse_existing(targets)
    checkpoint = read_checkpoint(run.checkpoint(which))
    spec = painting_spec(checkpoint.spec, checkpoint.path)
    device = device or pick_device(spec.training.device)
    generator = load_generator(checkpoint, device)
    reader = _Reader(base, spec, on_error)
    batches = reader.batches(list(targets), batch_size or spec.training.test_batch_size)
    written: list[Path] = []
    for painted in paint_batches(generator, spec, (collate(each) for each in batches), device):
        written += _write(painted, targets)
        if progress is not None:
            progress(len(written) + len(reader.failed), len(targets))
    if reader.failed:
        raise DataError(_told(reader.failed, len(targets), Path(output)))
    return written


def _refuse_existing(targets: dict[str, Path]) -> None:
    existing = [path for path in targets.values() if path.exists()]
    if existing:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise RunError(f"{existing[0]}{more}: exists already; replace with --overwrite, or write elsewhere")


class _Reader:
    """Reads samples in batches and collects those that cannot be read."""

    def __init__(self, base: Path, spec: Spec, on_error: Literal["skip", "fail"]) -> None:
        self.base = base
        self.spec = spec
        self.on_error = on_error
        self.failed: list[str] = []

    def batches(self, names: Sequence[str], size: int) -> Iterator[list[Sample]]:
        """Yield lists of at most ``size`` samples, none of them empty."""
        data = self.spec.data
        for start in range(0, len(names), size):
            samples = []
            for name in names[start : start + size]:
                try:
                    samples.append(
                        read_sample(self.base / name, name, data.size, data.inputs, needs_target=False)
                    )
                except DataError as error:
                    if self.on_error == "fail":
                        raise
                    logger.warning("left out: %s", error)
                    self.failed.append(str(error))
            if samples:
                yield samples


def _told(failed: Sequence[str], total: int, output: Path) -> str:
    lines = [f"  {each}" for each in failed[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"  and {len(failed) - SHOWN} more; the warnings name them all")
    head = f"{len(failed)} of {total} samples could not be read; the others were painted into {output}"
    return "\n".join([head, *lines])


def _write(painted: PaintedBatch, targets: dict[str, Path]) -> list[Path]:
    """Write the pictures of a batch, each only after what was written has been read back and checked."""
    written = []
    for index, name in enumerate(painted.batch.names):
        path = targets[name]
        with replacing(path) as temporary:
            Image.fromarray(painted.pictures[index]).save(temporary, format="PNG")
            with Image.open(temporary) as image:
                read_back = np.asarray(image.convert("RGB"), np.uint8)
            changed = painted.violations(index, read_back)
            if changed:
                raise SkinfwError(
                    f"{path}: {changed} pixels outside the painted region differ from the input, so it was "
                    "not written; check the disk, and report this if it persists"
                )
        written.append(path)
    return written
