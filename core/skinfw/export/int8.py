"""Convolutions in 8 bits, by ONNX Runtime's static quantization."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto


def quantized(model: ModelProto, calibration: Sequence[Mapping[str, NDArray[np.uint8]]]) -> ModelProto:
    """Return a graph whose convolutions compute in 8 bits.

    Ranges of activations are those seen on the calibration images; weights have a range for each channel.
    Everything else, such as the scaling, the tone and the composite, stays as it is.

    Args:
        model: the graph in float32.
        calibration: the graph's inputs, each uint8 ``(1, H, W, C)`` by name.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[Mapping[str, Any]] = iter(calibration)

        def get_next(self) -> dict[str, Any] | None:
            found = next(self._left, None)
            return None if found is None else dict(found)

    with TemporaryDirectory() as folder, _without_warnings():
        given, prepared, made = (Path(folder, f"{name}.onnx") for name in ("given", "prepared", "made"))
        onnx.save(model, given)
        quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(made),
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
        )
        return onnx.load(made)


class _without_warnings:  # noqa: N801
    """Drops what onnxruntime's quantizer logs to the root logger."""

    def __enter__(self) -> None:
        self._before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(self._before)
