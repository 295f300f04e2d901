"""Networks in ONNX files, run by ONNX Runtime on the CPU, or on CUDA if its build supports it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinfw.components.weights import file_sha256
from skinfw.errors import DataError, UserError, first_line
from skinfw.runtime.sessions import default_threads, load_session

if TYPE_CHECKING:
    import onnx

Shape = tuple[int | None, ...]


class OnnxFile:
    """A network in an ONNX file.

    Args:
        path: the file.
        threads: CPU threads per pass; None: OMP_NUM_THREADS, which ONNX Runtime itself ignores, or all cores.
        content: bytes to load instead of the file.

    Raises:
        UserError: the file is missing, or ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int | None = None, content: bytes | None = None) -> None:
        if not path.is_file():
            raise UserError(f"{path}: no such ONNX file; give the path of one")
        self.path = path
        self._session = load_session(path, default_threads() if threads is None else threads, content=content)
        self._sha256 = _sha256(path) if content is None else hashlib.sha256(content).hexdigest()

    @property
    def inputs(self) -> dict[str, Shape]:
        """The shape of each input by name; None for a dynamic dimension."""
        return {each.name: _shape(each.shape) for each in self._session.get_inputs()}

    @property
    def input_types(self) -> dict[str, np.dtype[Any]]:
        """The type of each input's values by name.

        Raises:
            UserError: an input takes something else than numbers.
        """
        found = {}
        for each in self._session.get_inputs():
            name = each.type.removeprefix("tensor(").removesuffix(")")
            try:
                found[each.name] = np.dtype({"float": "float32", "double": "float64"}.get(name, name))
            except TypeError:
                raise UserError(
                    f"{self.path}: its input {each.name} takes {each.type} instead of numbers"
                ) from None
        return found

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
        except Exception as error:  # onnxruntime raises its own exceptions
            shapes = ", ".join(f"{name} {value.shape}" for name, value in inputs.items())
            raise UserError(f"{self.path}: cannot be run on {shapes}: {first_line(error)}") from error
        for name, values in zip(outputs, found, strict=True):
            if not isinstance(values, np.ndarray):
                raise UserError(f"{self.path}: its output {name} is not a tensor; choose another one")
            if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
                raise DataError(
                    f"{self.path}: its output {name} for this photo is not finite (NaN or infinity); its "
                    "weights are damaged, or too large for its precision"
                )
        return found

    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of the content that is run.

        For a file whose weights lie in other files beside it, it is that of all these files' SHA-256.
        """
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


def _sha256(path: Path) -> str:
    own = file_sha256(path)
    others = sorted(_external_files(path))
    if not others:
        return own
    lines = [own, *(f"{name} {file_sha256(path.parent / name)}" for name in others)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _external_files(path: Path) -> set[str]:
    """Return the files of an ONNX file's weights, relative to its folder."""
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    model = onnx.load(path, format="protobuf", load_external_data=False)
    tensors = _tensors([model.graph, *model.functions])
    return {ExternalDataInfo(each).location for each in tensors if uses_external_data(each)}


def _tensors(graphs: Iterable[Any]) -> Iterator[onnx.TensorProto]:
    """Yield the constants of graphs and functions, and of the graphs inside them."""
    for graph in graphs:
        yield from getattr(graph, "initializer", ())
        for attribute in (attribute for node in graph.node for attribute in node.attribute):
            yield from (attribute.t, *attribute.tensors)
            yield from _tensors([attribute.g, *attribute.graphs])


def _shape(sides: Sequence[Any]) -> Shape:
    return tuple(side if isinstance(side, int) else None for side in sides)
