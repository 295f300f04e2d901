from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, load, numpy_helper, save
from onnx_models import write_graph

from skinfw.errors import UserError
from skinfw_plugins.networks.onnx_file import OnnxFile
from skinfw_plugins.networks.onnx_padding import explicitly_padded

KERNEL = np.random.default_rng(0).normal(size=(2, 3, 3, 3)).astype(np.float32)
VALUES = np.random.default_rng(1).normal(size=(1, 3, 11, 9)).astype(np.float32)


def write_convolution(path: Path, **settings: Any) -> Path:
    return write_graph(
        path,
        [helper.make_node("Conv", ["x", "kernel"], ["y"], kernel_shape=[3, 3], **settings)],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, None, None])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, None, None])],
        [numpy_helper.from_array(KERNEL, "kernel")],
    )


@pytest.mark.parametrize("automatic", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("dilations", [[2, 2], [3, 1]])
def test_a_dilated_convolution_keeps_the_size(tmp_path: Path, automatic: str, dilations: list[int]) -> None:
    path = write_convolution(tmp_path / "net.onnx", auto_pad=automatic, dilations=dilations)
    with pytest.raises(UserError, match="Dilation not supported"):
        OnnxFile(path).run({"x": VALUES}, ["y"])
    (found,) = OnnxFile(path, content=explicitly_padded(path)).run({"x": VALUES}, ["y"])
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(VALUES), torch.from_numpy(KERNEL), padding="same", dilation=tuple(dilations)
    )
    assert found == pytest.approx(expected.numpy(), abs=1e-4)


def test_others_stay_as_they_are(tmp_path: Path) -> None:
    path = write_convolution(tmp_path / "net.onnx", auto_pad="SAME_UPPER")
    (found,) = OnnxFile(path, content=explicitly_padded(path)).run({"x": VALUES}, ["y"])
    (expected,) = OnnxFile(path).run({"x": VALUES}, ["y"])
    assert np.array_equal(found, expected)


def test_a_dilated_convolution_with_a_step_is_refused(tmp_path: Path) -> None:
    path = write_convolution(tmp_path / "net.onnx", auto_pad="SAME_UPPER", dilations=[2, 2], strides=[2, 2])
    with pytest.raises(UserError, match=r"net\.onnx: the convolution .* cannot be padded"):
        explicitly_padded(path)


def test_a_file_and_its_padded_copy_are_one_network(tmp_path: Path) -> None:
    path = write_convolution(tmp_path / "net.onnx", auto_pad="SAME_UPPER", dilations=[2, 2])
    padded = explicitly_padded(path)
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(padded)
    fingerprints = {OnnxFile(each, content=explicitly_padded(each)).fingerprint() for each in (path, copy)}
    assert fingerprints == {hashlib.sha256(padded).hexdigest()}
    assert OnnxFile(copy).fingerprint() in fingerprints


def test_the_size_of_a_kernel_may_be_left_out(tmp_path: Path) -> None:
    path = write_convolution(tmp_path / "net.onnx", auto_pad="SAME_UPPER", dilations=[2, 2])
    expected = explicitly_padded(path)
    model = load(path)
    (node,) = model.graph.node
    kept = [each for each in node.attribute if each.name != "kernel_shape"]
    del node.attribute[:]
    node.attribute.extend(kept)
    save(model, path)
    runs = [
        OnnxFile(path, content=content).run({"x": VALUES}, ["y"])
        for content in (expected, explicitly_padded(path))
    ]
    assert np.array_equal(*runs)


@pytest.mark.parametrize("name", ["net.onnx", "net.json", "net.onnxtxt"])
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}]")
    with pytest.raises(UserError, match=rf"{re.escape(name)}: not a readable ONNX file"):
        explicitly_padded(tmp_path / name)


def test_weights_in_a_file_that_is_missing_are_told(tmp_path: Path) -> None:
    path = write_convolution(tmp_path / "net.onnx", auto_pad="SAME_UPPER")
    save(load(path), path, save_as_external_data=True, location="net.data", size_threshold=0)
    (tmp_path / "net.data").unlink()
    with pytest.raises(UserError, match=r"net\.onnx: not a readable ONNX file: .*net\.data"):
        explicitly_padded(path)


def test_no_onnx(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nothing at all")
    with pytest.raises(UserError, match=r"net\.onnx: not a readable ONNX file"):
        explicitly_padded(tmp_path / "net.onnx")
    with pytest.raises(UserError, match=r"no\.onnx: no such ONNX file"):
        explicitly_padded(tmp_path / "no.onnx")
