"""Running a graph: by ONNX Runtime, or by OpenVINO's own package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from skinfw.errors import UserError, first_line

if TYPE_CHECKING:
    import onnxruntime

Backend = Literal["onnxruntime", "openvino"]

PROVIDERS = {"auto": ("CUDAExecutionProvider", "CPUExecutionProvider"), "cpu": ("CPUExecutionProvider",)}
"""Execution providers of ONNX Runtime by device. Others recompile the network for each input size."""


_SIZES = 4
"""Sizes for which OpenVINO keeps a compiled graph."""


class Session(Protocol):
    """A loaded graph."""

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """Run the graph; returns the named outputs in their order."""
        ...


def load_session(
    path: Path, threads: int, device: Literal["auto", "cpu"] = "auto", content: bytes | None = None
) -> onnxruntime.InferenceSession:
    """Load a graph into ONNX Runtime.

    Args:
        path: the ONNX file.
        threads: CPU threads; 0 for all cores.
        device: auto for CUDA if its build supports it, else the CPU.
        content: bytes to load instead of the file.

    Raises:
        UserError: onnxruntime is not installed, or it cannot load the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"{path}: needs onnxruntime: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    providers = [name for name in PROVIDERS[device] if name in available]
    try:
        return onnxruntime.InferenceSession(content or str(path), options, providers=providers)
    except Exception as error:  # onnxruntime raises its own exceptions
        raise UserError(
            f"{path}: not an ONNX file that ONNX Runtime can load: {first_line(error)}"
        ) from error


class OnnxRuntimeSession:
    """A graph in ONNX Runtime.

    Args:
        path: the ONNX file.
        threads: CPU threads; 0 for all cores.
        device: auto for CUDA if its build supports it, else the CPU.

    Raises:
        UserError: onnxruntime is not installed, or it cannot load the file.
    """

    def __init__(self, path: Path, threads: int, device: Literal["auto", "cpu"] = "auto") -> None:
        self._session = load_session(path, threads, device)

    @property
    def metadata(self) -> dict[str, str]:
        """The file's ``metadata_props``."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """Run the graph. See `Session.run`."""
        found: list[NDArray[Any]] = self._session.run(list(outputs), dict(inputs))
        return found


class OpenVinoSession:
    """A graph in OpenVINO, on the CPU.

    It is compiled for each size of its inputs, which takes about a second and makes it nearly twice as fast
    as one for all sizes; the last few are kept.

    Args:
        path: the ONNX file.
        threads: CPU threads; 0 for all cores.

    Raises:
        UserError: openvino is not installed, or it cannot load the file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise UserError("the backend openvino needs a package: pip install 'skinfw[openvino]'") from error
        self._path = path
        self._settings: dict[str, str | int] = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        # float32, as the file was compared with its checkpoint
        self._settings |= {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        self._compiled: dict[tuple[tuple[int, ...], ...], Any] = {}
        with self._loading():
            self._core = openvino.Core()
            self._model = self._core.read_model(path)

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """Run the graph. See `Session.run`."""
        found = self._for_sizes(inputs)(dict(inputs))
        return [np.asarray(found[name]) for name in outputs]

    def _for_sizes(self, inputs: Mapping[str, NDArray[Any]]) -> Any:
        shapes = tuple(each.shape for each in inputs.values())
        compiled = self._compiled.pop(shapes, None)
        if compiled is None:
            with self._loading():
                self._model.reshape({name: list(each.shape) for name, each in inputs.items()})
                compiled = self._core.compile_model(self._model, "CPU", self._settings)
            if len(self._compiled) == _SIZES:
                del self._compiled[next(iter(self._compiled))]
        self._compiled[shapes] = compiled  # the last one used is the last to go
        return compiled

    @contextmanager
    def _loading(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # openvino raises its own exceptions
            raise UserError(f"{self._path}: OpenVINO cannot load it: {first_line(error)}") from error


def default_threads() -> int:
    """Return OMP_NUM_THREADS, which ONNX Runtime itself ignores; 0, all cores, if it is not set."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() else 0
