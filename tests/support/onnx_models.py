"""Small networks in ONNX files, with answers that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

OPSET = [helper.make_opsetid("", 17)]

BODYPIX_OUTPUTS = {
    "segments": 1,
    "part_heatmaps": 24,
    "heatmaps": 17,
    "short_offsets": 34,
}


def write_bodypix(path: Path, stride: int = 16, seed: int = 0) -> Path:
    """Write a network with BodyPix 2's inputs and outputs, and random weights.

    Each cell's scores are a linear function of the pixel in its top left corner.
    """
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Transpose", ["input"], ["channels_first"], perm=[0, 3, 1, 2]),
    ]
    weights, outputs = [], []
    for name, channels in BODYPIX_OUTPUTS.items():
        kernel = rng.normal(0, 2, (channels, 3, 1, 1)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"{name}_kernel"))
        nodes += [
            helper.make_node(
                "Conv", ["channels_first", f"{name}_kernel"], [f"{name}_first"], strides=[stride, stride]
            ),
            helper.make_node("Transpose", [f"{name}_first"], [name], perm=[0, 2, 3, 1]),
        ]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, channels]))
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, None, None, 3])]
    return write_graph(path, nodes, inputs, outputs, weights)


def write_graph(path: Path, nodes: list, inputs: list, outputs: list, weights: list) -> Path:
    """Write a graph as an ONNX file."""
    graph = helper.make_graph(nodes, "small", inputs, outputs, weights)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(graph, opset_imports=OPSET, ir_version=9), path)
    return path
