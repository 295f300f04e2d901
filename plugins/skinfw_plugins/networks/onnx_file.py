"""Networks in ONNX files, run by ONNX Runtime on the CPU, or on CUDA if its build supports it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinfw.components.weights import file_sha256
from skinfw.errors import DataError, UserError, first_line

if TYPE_CHECKING:
    import onnx
    import onnxruntime

Shape = tuple[int | None, ...]

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""Allowed execution providers. Others, such as TensorRT, recompile the network for each input size."""


class OnnxFile:
    """A network in an ONNX file.

    Args:
        path: the file.
        threads: CPU threads per pass; None: OMP_NUM_THREADS, which ONNX Runtime itself ignores, or all cores.
        content: the file's content, if it was changed after reading; None reads the file.

    Raises:
        UserError: the file is missing, or ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int | None = None, content: bytes | None = None) -> None:
        import onnxruntime

        if not path.is_file():
            raise UserError(f"{path}: no such ONNX file; give the path of one")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _threads() if threads is None else threads
        options.log_severity_level = 3
        self.path = path
        self._sha256 = file_sha256(path) if content is None else hashlib.sha256(content).hexdigest()
        available = onnxruntime.get_available_providers()
        try:
            self._session: onnxruntime.InferenceSession = onnxruntime.InferenceSession(
                content or str(path), options, providers=[name for name in PROVIDERS if name in available]
            )
        except Exception as error:  # onnxruntime raises its own exceptions for files that are not ONNX
            raise UserError(
                f"{path}: not an ONNX file that ONNX Runtime can load: {first_line(error)}"
            ) from error

    @property
    def inputs(self) -> dict[str, Shape]:
        """The shape of each input by name; None for a dynamic dimension."""
        return {each.name: _shape(each.shape) for each in self._session.get_inputs()}

    @property
    def outputs(self) -> dict[str, Shape]:
        """The shape of each output by name; None for a dynamic dimension."""
        return {each.name: _shape(each.shape) for each in self._session.get_outputs()}

    @property
    def metadata(self) -> dict[str, str]:
        """The file's ``metadata_props``."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found

    def require_outputs(self, names: Sequence[str], purpose: str) -> None:
        """Reject a file that lacks an output.

        Raises:
            UserError: an output is missing; the message lists the file's outputs and the expected network.
        """
        missing = [name for name in names if name not in self.outputs]
        if missing:
            raise UserError(
                f"{self.path}: has no output named {', '.join(missing)} (it has: "
                f"{', '.join(self.outputs)}); is it {purpose}?"
            )

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """Run the network.

        Args:
            inputs: arrays by the names of the inputs.
            outputs: names of the outputs to return, in order.

        Raises:
            DataError: the network returns NaN or infinity for these inputs.
            UserError: the network does not accept these arrays.
        """
        try:
            found: list[NDArray[np.float32]] = self._session.run(list(outputs), dict(inputs))
        except Exception as error:  # as above
            told = ", ".join(f"{name} {value.shape}" for name, value in inputs.items())
            raise UserError(f"{self.path}: cannot be run on {told}: {first_line(error)}") from error
        for name, values in zip(outputs, found, strict=True):
            if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
                raise DataError(
                    f"{self.path}: its output {name} for this photo is not finite (NaN or infinity); its "
                    "weights are damaged, or too large for its precision"
                )
        return found

    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of the content that is run."""
        return self._sha256


def read_model(path: Path) -> onnx.ModelProto:
    """Return the graph of an ONNX file, with its weights.

    Raises:
        UserError: the file does not exist or is not an ONNX file.
    """
    import onnx

    if not path.is_file():
        raise UserError(f"{path}: no such ONNX file; give the path of one")
    try:
        return onnx.load(path, format="protobuf")
    except Exception as error:  # onnx and protobuf raise their own exceptions, also for missing external data
        raise UserError(f"{path}: not a readable ONNX file: {first_line(error)}") from error


def _threads() -> int:
    """Return OMP_NUM_THREADS; 0, which means all cores, if it is not set."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() else 0


def _shape(sides: Sequence[Any]) -> Shape:
    return tuple(side if isinstance(side, int) else None for side in sides)
