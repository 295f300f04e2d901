"""From a torch module to an ONNX graph, by torch's exporter."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from skinfw.components.config import Size, SizeRequirement
from skinfw.errors import RunError, UserError, first_line

if TYPE_CHECKING:
    from onnx import ModelProto

logger = logging.getLogger("skinfw")

Size4 = tuple[int, int, int, int]
"""Batch, height, width, channels."""

STRIDES = (8, 16, 32, 64)
"""Multiples that are tried, one after the other, for a network that pads its images without saying so."""


@dataclass(frozen=True)
class Sizes:
    """The sizes that a graph accepts.

    Attributes:
        multiple: height and width are multiples of this many pixels.
        minimum: least height and width in pixels.
        exactly: the only size, or None.
    """

    multiple: int
    minimum: int
    exactly: Size | None = None

    def example(self) -> Size:
        """Return a size for tracing: its sides differ, and are neither the least nor one step."""
        if self.exactly is not None:
            return self.exactly
        least = max(2, -(-self.minimum // self.multiple))
        return (least + 1) * self.multiple, (least + 3) * self.multiple

    def others(self, size: Size) -> tuple[Size, ...]:
        """Return sizes besides the training size at which a graph must work too, none of them square."""
        if self.exactly is not None:
            return ()
        height, width = (max(side, self.minimum) for side in size)
        return (height + self.multiple, width + 2 * self.multiple), (height, 2 * width + 3 * self.multiple)


def require_exporter() -> None:
    """Check that torch's exporter can be used.

    Raises:
        UserError: a package is missing.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            "torch's exporter needs the package onnxscript: pip install 'skinfw[onnx]'"
        ) from error


def to_onnx(
    graph: nn.Module,
    names: Sequence[str],
    outputs: Sequence[str],
    requirement: SizeRequirement,
    size: Size,
    channels: Sequence[int],
    *,
    pads_to: int = 1,
    free: bool = True,
) -> tuple[ModelProto, Sizes]:
    """Export a module for images of any size that its network accepts.

    Args:
        graph: its ``forward(*images)`` takes images, each uint8 ``(B, H, W, C)``.
        names: names of the inputs.
        outputs: names of the outputs.
        requirement: the sizes that the network accepts.
        size: height and width of the training images in pixels.
        channels: channels of each input.
        pads_to: what the network itself pads its images to.
        free: whether to try sizes other than the training size at all.

    Returns:
        the graph, and the sizes that it accepts.

    Raises:
        RunError: torch cannot export the network.
    """
    reason: Exception | None = None
    for sizes in _candidates(requirement, size, pads_to, free=free):
        try:
            model = _exported(graph, names, outputs, sizes, size, channels)
            for other in sizes.others(size):
                _check(model, graph, names, [(1, *other, count) for count in channels])
            return model, sizes
        except Exception as error:  # torch's exporter raises whatever it meets on the way
            reason = _cause(error)
            logger.debug("export for %s failed", sizes, exc_info=error)
    assert reason is not None
    raise RunError(f"torch cannot export this network: {first_line(reason)}") from reason


def _candidates(requirement: SizeRequirement, size: Size, pads_to: int, *, free: bool) -> Iterator[Sizes]:
    if requirement.exactly is None and free:
        known = math.lcm(requirement.multiple_of, pads_to)
        if known == requirement.multiple_of:
            yield Sizes(known, requirement.minimum)
        multiples = (known, *(math.lcm(known, stride) for stride in STRIDES))
        for multiple in dict.fromkeys(multiples):
            if multiple != requirement.multiple_of and not any(side % multiple for side in size):
                # two innermost pixels per side, if the training images have them
                yield Sizes(multiple, max(requirement.minimum, min(2 * multiple, *size)))
    yield Sizes(1, 1, exactly=requirement.exactly or size)


def _exported(
    graph: nn.Module,
    names: Sequence[str],
    outputs: Sequence[str],
    sizes: Sizes,
    size: Size,
    channels: Sequence[int],
) -> ModelProto:
    batch = torch.export.Dim("batch", min=1)
    dimensions: dict[int, Any] = {0: batch}
    if sizes.exactly is None:
        least = -(-sizes.minimum // sizes.multiple)
        for axis, name in ((1, "height"), (2, "width")):
            steps = torch.export.Dim(name, min=least)
            dimensions[axis] = steps if sizes.multiple == 1 else sizes.multiple * steps
    examples = tuple(
        torch.randint(0, 256, (2, *sizes.example(), count), dtype=torch.uint8) for count in channels
    )
    shapes = (tuple(dimensions for _ in examples),)
    with _quiet(), torch.no_grad():
        program = torch.export.export(graph.eval(), examples, dynamic_shapes=shapes, strict=False)
        # torch takes a free number of steps to be at least 2, and drops what the network does for a single
        # one, such as padding; its guards say so
        program.module()(*(torch.zeros((1, *size, count), dtype=torch.uint8) for count in channels))
        exported = torch.onnx.export(
            program, dynamo=True, input_names=list(names), output_names=list(outputs), verbose=False
        )
    assert exported is not None
    model: ModelProto = exported.model_proto
    return model


def _check(model: ModelProto, graph: nn.Module, names: Sequence[str], shapes: Sequence[Size4]) -> None:
    """Check an exported graph on random images: the exporter may fix a size without a word.

    Raises:
        ValueError: it returns something else than the module.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    source = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, shape, generator=source, dtype=torch.uint8) for shape in shapes]
    found = session.run(None, {name: each.numpy() for name, each in zip(names, images, strict=True)})
    with torch.inference_mode():
        wanted = graph(*images)
    for one, other in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        if one.shape != other.shape:
            raise ValueError(f"returns images of the shape {one.shape}, not {tuple(other.shape)}")
        values = other.float()
        gap = (torch.from_numpy(one).float() - values).abs().mean()
        # what is cut or shifted differs by as much as any two images; precision, by far less
        if gap > 0.1 * (values - values.mean()).abs().mean() + 1e-3:
            raise ValueError(f"differs by {gap:.3g} on average at {shapes[0][1]}x{shapes[0][2]}")


def _cause(error: Exception) -> Exception:
    """Return what an exporter's error began with."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what torch and onnxscript print and log about their own insides."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
