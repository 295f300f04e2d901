"""Comparing an exported file with its checkpoint, on real samples at several sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from kornia.color import rgb_to_lab
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, BODY, IMAGE
from skinfw.data.batch import collate
from skinfw.data.pixel_types import image_tensor
from skinfw.data.sample import Sample
from skinfw.data.segmentation import LabelMap, Mask, RgbImage
from skinfw.errors import SkinfwError, counted
from skinfw.evaluation.ciede2000 import ciede2000
from skinfw.inference.background import over_background
from skinfw.inference.batch_inpainter import BatchInpainter, Inpainting
from skinfw.inference.composite import to_uint8
from skinfw.inference.sample_writing import violations
from skinfw.interfaces import Generator, SegmentationNetwork
from skinfw.runtime.metadata import Parity, Precision
from skinfw.runtime.onnx_model import OnnxModel
from skinfw.specs.spec import Spec

_HALF = 127
"""Alpha in 8 bits above which a pixel is skin."""


@dataclass(frozen=True)
class Limits:
    """How much an exported file may differ from its checkpoint.

    Attributes:
        gray: gray levels of 255.
        psnr: least PSNR of the painted pixels, in dB.
        tone: largest mean CIEDE2000 of the painted pixels.
        labels: largest fraction of other labels of a parser, or of the mask that is skin in one image alone.
    """

    gray: int
    psnr: float
    tone: float
    labels: float


LIMITS: Mapping[Precision, Limits] = {
    "float32": Limits(gray=1, psnr=0, tone=math.inf, labels=0.001),
    "float16": Limits(gray=255, psnr=40, tone=0.5, labels=0.005),
    "int8": Limits(gray=255, psnr=30, tone=1.0, labels=0.02),
}
"""A CIEDE2000 of 1 is about the smallest visible difference. Labels may differ where two classes are equally
likely, and skin where alpha is about a half."""


@dataclass
class Comparison:
    """Adds up differences between painted images and the checkpoint's."""

    names: set[str] = field(default_factory=set)
    sizes: list[Size] = field(default_factory=list)
    values: int = 0
    different: int = 0
    largest: int = 0
    changed: int = 0
    largest_alpha: int | None = None
    other_skin: int = 0
    masked: int = 0
    squares: float = 0.0
    painted: int = 0
    tones: list[float] = field(default_factory=list)
    costs: list[tuple[float, float, float, float]] = field(default_factory=list)

    def add(self, sample: Sample, found: RgbImage, wanted: RgbImage, painted: Mask) -> None:
        """Add one sample.

        Args:
            sample: the sample.
            found: the exported file's image, uint8 RGB ``(H, W, 3)``.
            wanted: the checkpoint's.
            painted: where the generator may change pixels, bool ``(H, W)``.
        """
        size = (found.shape[0], found.shape[1])
        self.names.add(sample.name)
        if size not in self.sizes:
            self.sizes.append(size)
        gap = np.abs(found.astype(np.int16) - wanted)
        self.values += gap.size
        self.different += int(np.count_nonzero(gap))
        self.largest = max(self.largest, int(gap.max()))
        self.changed += violations(found, sample[APPAREL], painted)
        if painted.any():
            self.squares += float(np.square(gap[painted].astype(np.float64)).sum())
            self.painted += gap[painted].size
            self.tones.append(_tone(found, wanted, painted))
            if not np.array_equal(sample[BODY], sample[APPAREL]):
                truth = sample[BODY]
                self.costs.append(
                    (*_quality(wanted, truth, painted), *_quality(found, truth, painted)),
                )

    def add_alpha(self, found: NDArray[np.uint8], wanted: NDArray[np.uint8], painted: Mask) -> None:
        """Add the alpha of one sample.

        Args:
            found: the exported file's, uint8 ``(H, W)``.
            wanted: the checkpoint's.
            painted: where the generator may change pixels, bool ``(H, W)``; the rest means nothing.
        """
        one, other = found[painted].astype(np.int16), wanted[painted].astype(np.int16)
        self.largest_alpha = max(self.largest_alpha or 0, int(np.abs(one - other).max(initial=0)))
        self.other_skin += int(np.count_nonzero((one > _HALF) != (other > _HALF)))
        self.masked += one.size

    def parity(self) -> Parity:
        """Return the differences as they are written into the file."""
        return Parity(
            samples=len(self.names),
            sizes=tuple(self.sizes),
            different=self.different / max(self.values, 1),
            max_difference=self.largest,
            max_alpha_difference=self.largest_alpha,
            different_skin=None if self.largest_alpha is None else self.other_skin / max(self.masked, 1),
            psnr=_psnr(self.squares / self.painted) if self.squares else None,
            tone=sum(self.tones) / len(self.tones) if self.tones else 0.0,
            changed=self.changed,
        )

    def cost(self) -> str:
        """Return what the file costs against the ground truth, as a sentence; empty without ground truth."""
        if not self.costs:
            return ""
        before, tone, after, other_tone = np.mean(np.array(self.costs), axis=0)
        return (
            f"against the ground truth: {before:.2f} dB before, {after:.2f} dB after "
            f"({after - before:+.2f} dB); CIEDE2000 {tone:.2f} before, {other_tone:.2f} after "
            f"({other_tone - tone:+.2f})"
        )


def compare_inpainting(
    model: OnnxModel, generator: Generator[Any], spec: Spec, noise: Tensor | None, samples: Iterable[Sample]
) -> Comparison:
    """Paint samples with a file and with its checkpoint; with alpha, compare that too.

    Args:
        model: the exported file.
        generator: the checkpoint's generator, float32 on the CPU, in evaluation mode.
        spec: defines the composite.
        noise: the noise in the file; see `skinfw.export.graphs.InpaintingGraph`.
        samples: the samples, of one or several sizes.
    """
    inpainter = BatchInpainter.of(spec, generator)
    comparison = Comparison()
    for sample in samples:
        painting = _inpainted(inpainter, generator, sample, noise)
        painted = (painting.painted[0, 0] > 0.5).numpy()
        found = model({name: sample.fields[name].type.pixels(sample[name]) for name in model.inputs})
        if painting.alpha is not None:
            comparison.add_alpha(found[..., 3], to_uint8(painting.alpha)[0, ..., 0], painted)
            found = over_background(found, sample[APPAREL], painted)
        comparison.add(sample, found, to_uint8(painting.output)[0], painted)
    return comparison


def compare_networks(
    network: Generator[Any],
    generator: Generator[Any],
    spec: Spec,
    noise: Tensor | None,
    samples: Iterable[Sample],
) -> Comparison:
    """Paint samples with two generators; with alpha, compare that too.

    Args:
        network: the generator with the exported weights, float32 on the CPU, in evaluation mode.
        generator: that with the checkpoint's, likewise.
        spec: defines the composite.
        noise: the noise of both.
        samples: the samples.
    """
    inpainter = BatchInpainter.of(spec, generator)
    comparison = Comparison()
    for sample in samples:
        found, wanted = (_inpainted(inpainter, each, sample, noise) for each in (network, generator))
        painted = (wanted.painted[0, 0] > 0.5).numpy()
        if found.alpha is not None and wanted.alpha is not None:
            alphas = [to_uint8(each)[0, ..., 0] for each in (found.alpha, wanted.alpha)]
            comparison.add_alpha(alphas[0], alphas[1], painted)
        comparison.add(sample, to_uint8(found.output)[0], to_uint8(wanted.output)[0], painted)
    return comparison


def _inpainted(
    inpainter: BatchInpainter, generator: Generator[Any], sample: Sample, noise: Tensor | None
) -> Inpainting:
    batch = collate([sample])
    with torch.inference_mode():
        return inpainter(generator, batch, None if noise is None else _tiled(noise, batch.size))


def _tiled(noise: Tensor, size: Size) -> Tensor:
    if noise.ndim < 4:
        return noise
    times = [-(-side // have) for side, have in zip(size, noise.shape[-2:], strict=True)]
    return noise.repeat(1, 1, *times)[..., : size[0], : size[1]]


def _tone(one: RgbImage, other: RgbImage, painted: Mask) -> float:
    """Return the mean CIEDE2000 of the painted pixels."""
    colors = [rgb_to_lab(image_tensor([image[painted][None]])) for image in (one, other)]
    return float(ciede2000(*colors).mean())


def _quality(image: RgbImage, truth: RgbImage, painted: Mask) -> tuple[float, float]:
    gap = image[painted].astype(np.float64) - truth[painted]
    return _psnr(max(float(np.square(gap).mean()), 1e-3)), _tone(image, truth, painted)


def _psnr(mean_square: float) -> float:
    return 10 * math.log10(255**2 / mean_square)


def reject_difference(parity: Parity, precision: Precision) -> None:
    """Reject an exported file that differs too much from its checkpoint.

    Raises:
        SkinfwError: it does; the message says by how much.
    """
    limits = LIMITS[precision]
    compared = f"compared on {counted(parity.samples, 'sample')} at " + ", ".join(
        f"{h}x{w}" for h, w in parity.sizes
    )
    violated = []
    if parity.changed:
        violated.append(f"{parity.changed:,} pixels that must be kept changed")
    if parity.max_difference is not None and parity.max_difference > limits.gray:
        violated.append(
            f"values differ by up to {parity.max_difference} gray levels, where {limits.gray} is allowed "
            f"({parity.different:.3%} of the values differ)"
        )
    if parity.max_alpha_difference is not None and parity.max_alpha_difference > limits.gray:
        violated.append(
            f"alpha differs by up to {parity.max_alpha_difference} gray levels, where {limits.gray} is "
            "allowed"
        )
    if parity.different_skin is not None and parity.different_skin > limits.labels:
        violated.append(
            f"{parity.different_skin:.3%} of the mask is skin in one image alone, at most {limits.labels:.1%}"
        )
    if parity.psnr is not None and parity.psnr < limits.psnr:
        violated.append(f"painted pixels have a PSNR of {parity.psnr:.1f} dB, and need {limits.psnr:g} dB")
    if parity.tone is not None and parity.tone > limits.tone:
        violated.append(f"painted pixels differ by a CIEDE2000 of {parity.tone:.2f}, at most {limits.tone:g}")
    if parity.max_difference is None and parity.different > limits.labels:
        violated.append(f"{parity.different:.3%} of the labels differ, at most {limits.labels:.1%}")
    if violated:
        raise SkinfwError(
            f"the exported network ({precision}) differs from its checkpoint, so nothing was written: "
            f"{'; '.join(violated)}; {compared}"
        )


def compare_parser(
    label: Sequence[LabelMap], network: SegmentationNetwork[Any], samples: Sequence[Sample]
) -> Parity:
    """Compare label maps of a file with those of its checkpoint.

    Args:
        label: the file's label map of each sample, uint8 ``(H, W)``.
        network: the checkpoint's network, float32 on the CPU, in evaluation mode.
        samples: photos of one or several sizes.
    """
    values = different = 0
    sizes: dict[Size, None] = {}
    for found, sample in zip(label, samples, strict=True):
        wanted = labels_of(network, sample)
        values += wanted.size
        different += int(np.count_nonzero(found != wanted))
        sizes[found.shape[0], found.shape[1]] = None
    names = {sample.name for sample in samples}
    return Parity(samples=len(names), sizes=tuple(sizes), different=different / values)


def labels_of(network: SegmentationNetwork[Any], sample: Sample) -> LabelMap:
    """Return a network's label map of a photo, uint8 ``(H, W)``."""
    with torch.inference_mode():
        return label_map(network(collate([sample])[IMAGE]).numpy())


def label_map(logits: NDArray[np.float32]) -> LabelMap:
    """Return the class with the largest logit of each pixel, uint8 ``(H, W)`` from ``(1, K, H, W)``."""
    return np.asarray(logits[0].argmax(axis=0), np.uint8)
