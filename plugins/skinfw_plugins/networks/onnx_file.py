"""Networks in ONNX files, run by ONNX Runtime on the CPU, or on CUDA where its build has it."""

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
"""What may run a network. Others, such as TensorRT, compile it again for each size of its input."""


class OnnxFile:
    """A network in an ONNX file.

    Args:
        path: the file.
        threads: CPU threads of one pass; None for as many as OMP_NUM_THREADS says, which ONNX Runtime itself
            does not look at, or as there are cores.
        content: the file as it is to be run, where it was changed after reading; None reads it.

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
        except Exception as error:  # onnxruntime raises its own kinds for what is not ONNX
            raise UserError(
                f"{path}: no ONNX file that ONNX Runtime can load: {first_line(error)}"
            ) from error

    @property
    def inputs(self) -> dict[str, Shape]:
        """The shape of each input by name; None for a side that is free."""
        return {each.name: _shape(each.shape) for each in self._session.get_inputs()}

    @property
    def outputs(self) -> dict[str, Shape]:
        """The shape of each output by name; None for a side that is free."""
        return {each.name: _shape(each.shape) for each in self._session.get_outputs()}

    def require_outputs(self, names: Sequence[str], purpose: str) -> None:
        """Reject a file that lacks an output.

        Raises:
            UserError: it does; the text says what the file gives, and what was expected of which network.
        """
        missing = [name for name in names if name not in self.outputs]
        if missing:
            raise UserError(
                f"{self.path}: has no output called {', '.join(missing)} (it has: "
                f"{', '.join(self.outputs)}); is it {purpose}?"
            )

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """Run the network.

        Args:
            inputs: arrays by the names of the inputs.
            outputs: names of the outputs that are wanted, in order.

        Raises:
            DataError: the network gives NaN or infinity for these inputs, which nothing can be read from.
            UserError: the network does not take such arrays.
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
        """Return the SHA-256, in hex, of the file as it is run."""
        return self._sha256


def read_model(path: Path) -> onnx.ModelProto:
    """Return the graph of an ONNX file, with its weights.

    Raises:
        UserError: there is no such file, or it is not an ONNX file.
    """
    import onnx

    if not path.is_file():
        raise UserError(f"{path}: no such ONNX file; give the path of one")
    try:
        return onnx.load(path, format="protobuf")
    except Exception as error:  # onnx and protobuf raise their own kinds, also for missing external data
        raise UserError(f"{path}: no ONNX file that can be read: {first_line(error)}") from error


def _threads() -> int:
    """Return what OMP_NUM_THREADS says; 0, which means all cores, where it says nothing."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() else 0


def _shape(sides: Sequence[Any]) -> Shape:
    return tuple(side if isinstance(side, int) else None for side in sides)
