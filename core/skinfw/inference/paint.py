"""Inpainting images as written to disk, shared by evaluation and file generation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.field_names import APPAREL
from skinfw.data.batch import Batch
from skinfw.data.pixel_types import image_tensor
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import NotFiniteError
from skinfw.inference.batch_inpainter import BatchInpainter
from skinfw.inference.composite import to_uint8
from skinfw.inference.noise import sample_noise
from skinfw.inference.sample_writing import violations
from skinfw.interfaces import Generator
from skinfw.specs.spec import Spec
from skinfw.system.peak_memory import PeakMemory

ProgressCallback = Callable[[int, int], None]
"""Called with the number of finished images and the total."""


@dataclass(frozen=True)
class InpaintedBatch:
    """A batch and its result.

    Attributes:
        batch: the samples, on the device.
        images: the inpainted images as written, uint8 RGB ``(B, H, W, 3)``.
        bases: the input images whose pixels are kept, uint8 RGB ``(B, H, W, 3)``.
        painted: where the generator may change pixels, bool ``(B, H, W)``.
        seconds: time of the generator's pass and the composite, in which memory is measured if ``grown`` is
            given and there are other batches.
        alpha: how much of each pixel is skin, uint8 ``(B, H, W, 1)``; None if the generator gives no alpha.
        grown: bytes by which the memory in use grew at most in the generator's pass; None if not measured.
    """

    batch: Batch
    images: RgbImage
    bases: RgbImage
    painted: Mask
    seconds: float
    alpha: NDArray[np.uint8] | None = None
    grown: int | None = None

    def tensors(self) -> tuple[Tensor, Tensor | None]:
        """Return the images and the alpha as written, float32 ``(B, C, H, W)`` in [0, 1] on the CPU."""
        alpha = None if self.alpha is None else image_tensor(list(self.alpha))
        return image_tensor(list(self.images)), alpha

    def violations(self, index: int) -> int:
        """Count the pixels of one image of the batch that should have been kept but changed."""
        return violations(self.images[index], self.bases[index], self.painted[index])


def inpaint_batches(
    generator: Generator[Any],
    spec: Spec,
    batches: Iterable[Batch],
    device: torch.device,
    *,
    with_memory: bool = False,
) -> Iterator[InpaintedBatch]:
    """Inpaint batches one after the other, without gradients and in evaluation mode.

    Args:
        generator: the trained one or a baseline, on ``device``; its mode is restored at the end.
        spec: defines the composite.
        batches: the samples.
        device: the device.
        with_memory: measure the memory of the first batch, which the others reuse. As that takes time, the
            only batch is inpainted again for its time.

    Raises:
        NotFiniteError: an image contains NaN or infinity.
    """
    inpainter = BatchInpainter.of(spec, generator)
    was_training = generator.training
    generator.eval()
    try:
        left = iter(batches)
        first = list(islice(left, 2)) if with_memory else []
        for index, batch in enumerate(chain(first, left)):
            placed = batch.to(device, torch.channels_last)
            watched = with_memory and generator.timed and index == 0
            found = _paint(generator, inpainter, placed, spec.seed, with_memory=watched)
            if found.grown is not None and len(first) == 1:
                again = _paint(generator, inpainter, placed, spec.seed, with_memory=False)
                found = replace(found, seconds=again.seconds)
            yield found
    finally:
        generator.train(was_training)


def _paint(
    generator: Generator[Any], inpainter: BatchInpainter, batch: Batch, seed: int, *, with_memory: bool
) -> InpaintedBatch:
    device = batch.device
    noise = sample_noise(generator, batch.names, batch.size, seed)
    generator.begin_batch(batch.names)
    memory = PeakMemory(device)
    with torch.inference_mode():
        with memory if with_memory else nullcontext():
            start = _now(device)
            painting = inpainter(generator, batch, None if noise is None else noise.to(device))
            seconds = _now(device) - start
        _reject_not_finite(painting.output, batch.names)
        return InpaintedBatch(
            batch=batch,
            images=to_uint8(painting.output),
            bases=to_uint8(batch[APPAREL]),
            painted=(painting.painted[:, 0] > 0.5).cpu().numpy(),
            seconds=seconds,
            alpha=None if painting.alpha is None else to_uint8(painting.alpha),
            grown=memory.grown,
        )


def _reject_not_finite(output: Tensor, names: Sequence[str]) -> None:
    """Reject images with NaN or infinity, which would be written and evaluated as black."""
    finite = output.isfinite().flatten(1).all(dim=1).tolist()
    bad = [name for name, good in zip(names, finite, strict=True) if not good]
    if bad:
        raise NotFiniteError(
            f"the generator's image of the sample {bad[0]} is not finite (NaN or infinity), so it was "
            "neither evaluated nor written; its training diverged or its checkpoint is damaged: use "
            "another checkpoint, or train again with lower learning rates"
        )


def _now(device: torch.device) -> float:
    """Return the time after the device has finished all its work."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()
