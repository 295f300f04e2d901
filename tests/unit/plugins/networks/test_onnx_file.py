from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import write_graph

from skinfw.errors import DataError, UserError
from skinfw_plugins.networks.onnx_file import OnnxFile


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A network that adds its input to itself."""
    shape = [1, 3, None, 4]
    return write_graph(
        tmp_path / "net.onnx",
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [],
    )


def test_what_a_file_takes_and_gives(doubling: Path) -> None:
    file = OnnxFile(doubling)
    assert file.inputs == {"x": (1, 3, None, 4)} and file.outputs == {"y": (1, 3, None, 4)}
    values = np.arange(24, dtype=np.float32).reshape(1, 3, 2, 4)
    (found,) = file.run({"x": values}, ["y"])
    assert np.array_equal(found, values * 2)
    assert file.fingerprint() == hashlib.sha256(doubling.read_bytes()).hexdigest()


def test_weights_beside_a_file_count_in_its_fingerprint(tmp_path: Path) -> None:
    """One of the graph, one of a branch in it."""
    constants = [numpy_helper.from_array(np.full(512, each, np.float32), f"c{each}") for each in (1, 2)]
    kind = helper.make_tensor_value_info("o", TensorProto.FLOAT, [512])
    branch = helper.make_graph([helper.make_node("Identity", ["c2"], ["o"])], "b", [], [kind], constants[1:])
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    nodes = [
        helper.make_node("If", ["flag"], ["chosen"], then_branch=branch, else_branch=branch),
        helper.make_node("Add", ["chosen", "c1"], ["y"]),
    ]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [512])
    path = write_graph(tmp_path / "net.onnx", nodes, [flag], [result], constants[:1])
    inside = OnnxFile(path).fingerprint()
    assert inside == hashlib.sha256(path.read_bytes()).hexdigest()
    external = onnx.load(path)
    onnx.save(external, path, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
    graph, prints = path.read_bytes(), [inside, OnnxFile(path).fingerprint()]
    for name in sorted(each.name for each in tmp_path.iterdir() if each != path):
        values = np.frombuffer((tmp_path / name).read_bytes(), np.float32)
        (tmp_path / name).write_bytes((values + 1).tobytes())
        prints.append(OnnxFile(path).fingerprint())
    assert len(set(prints)) == len(prints) == 4
    assert path.read_bytes() == graph


def test_the_cpu_runs_it_and_nothing_that_compiles(doubling: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = onnxruntime.InferenceSession

    def session(*arguments: Any, providers: list[str]) -> onnxruntime.InferenceSession:
        asked.extend(providers)
        return real(*arguments, providers=["CPUExecutionProvider"])

    present = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: present)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    OnnxFile(doubling)
    assert asked == ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_other_outputs_are_told(doubling: Path) -> None:
    with pytest.raises(UserError, match=r"net\.onnx: has no output named heat \(it has: y\)"):
        OnnxFile(doubling).require_outputs(["heat"], "a pose network")


def test_a_wrong_shape_is_told(doubling: Path) -> None:
    with pytest.raises(UserError, match=r"net\.onnx: cannot be run on x \(1, 3, 2, 5\)"):
        OnnxFile(doubling).run({"x": np.zeros((1, 3, 2, 5), np.float32)}, ["y"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_output_that_is_not_finite_is_read_by_nobody(doubling: Path, value: float) -> None:
    values = np.zeros((1, 3, 2, 4), np.float32)
    values[0, 1, 1, 2] = value
    with pytest.raises(DataError, match=r"net\.onnx: its output y for this photo is not finite"):
        OnnxFile(doubling).run({"x": values}, ["y"])


def test_no_onnx(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"net\.onnx: not an ONNX file"):
        OnnxFile(tmp_path / "net.onnx")
    with pytest.raises(UserError, match=r"no\.onnx: no such ONNX file"):
        OnnxFile(tmp_path / "no.onnx")
