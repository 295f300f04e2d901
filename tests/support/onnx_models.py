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
    "displacement_fwd": 32,
    "displacement_bwd": 32,
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


def write_mobilenet(path: Path, multiplier: float = 0.5, seed: int = 0) -> Path:
    """Write a MobileNetV1 as BodyPix 2's files have it, with random weights; its last features are ``body``.

    Paddings are those of images with an odd number of pixels a side, as it was trained.
    """
    rng = np.random.default_rng(seed)
    widths = [32, 64, 128, 128, 256, 256, *[512] * 8]
    first, *rest = [int(multiplier * width) for width in widths]
    # channels in and out, kernel, stride, groups
    layers = [(3, first, 3, 2, 1)]
    for index, (incoming, outgoing) in enumerate(zip([first, *rest], rest, strict=False), 1):
        layers += [
            (incoming, incoming, 3, 2 if index in (2, 4, 6) else 1, incoming),
            (incoming, outgoing, 1, 1, 1),
        ]
    nodes = [helper.make_node("Transpose", ["input"], ["cut"], perm=[0, 3, 1, 2])]
    weights = [
        numpy_helper.from_array(np.array(value, np.float32), name)
        for name, value in (("low", 0), ("high", 6))
    ]
    for index, (incoming, outgoing, kernel, stride, groups) in enumerate(layers):
        shape = (outgoing, incoming // groups, kernel, kernel)
        values = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        bias = rng.uniform(0, 0.5, outgoing).astype(np.float32)
        weights += [numpy_helper.from_array(values, f"w{index}"), numpy_helper.from_array(bias, f"b{index}")]
        before = nodes[-1].output[0]
        nodes += [
            helper.make_node(
                "Conv", [before, f"w{index}", f"b{index}"], [f"c{index}"],
                strides=[stride] * 2, pads=[kernel // 2] * 4, group=groups,
            ),
            helper.make_node("Clip", [f"c{index}", "low", "high"], [f"a{index}"]),
        ]  # fmt: skip
    nodes.append(helper.make_node("Identity", [nodes[-1].output[0]], ["body"]))
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, None, None, 3])]
    outputs = [helper.make_tensor_value_info("body", TensorProto.FLOAT, [1, rest[-1], None, None])]
    return write_graph(path, nodes, inputs, outputs, weights)


def write_mean_fill(
    path: Path,
    size: tuple[int, int] | None = None,
    white: float = 1,
    hole: float = 1,
    channels_last: bool = False,
    eight_bits: bool = False,
) -> Path:
    """Write an inpainting network that fills the hole with the mean of all that it sees.

    Args:
        path: the file; inputs ``image`` and ``mask``, output ``inpainted``.
        size: height and width of its images; None for any.
        white: what white is in its output; it is 1 in its image, or 255 in 8 bits.
        hole: what the hole is in its mask, 1 or 0; 255 or 0 in 8 bits.
        channels_last: whether its images are ``(1, H, W, C)``.
        eight_bits: whether its images are uint8.
    """
    height, width = (None, None) if size is None else size
    kind = TensorProto.UINT8 if eight_bits else TensorProto.FLOAT
    top = 255.0 if eight_bits else 1.0

    def tensor(name: str, channels: int) -> object:
        shape = [1, height, width, channels] if channels_last else [1, channels, height, width]
        return helper.make_tensor_value_info(name, kind, shape)

    def scalar(name: str, value: float) -> object:
        return numpy_helper.from_array(np.array(value, np.float32), name)

    weights = [scalar("top", top), scalar("one", 1), scalar("white", white)]
    weights.append(numpy_helper.from_array(np.array([2, 3], np.int64), "axes"))
    nodes = []
    for name in ("image", "mask"):
        nodes.append(helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT))
        nodes.append(
            helper.make_node("Transpose", [f"{name}_float"], [f"{name}_first"], perm=[0, 3, 1, 2])
            if channels_last
            else helper.make_node("Identity", [f"{name}_float"], [f"{name}_first"])
        )
        nodes.append(helper.make_node("Div", [f"{name}_first", "top"], [f"{name}_unit"]))
    nodes += [
        helper.make_node("Sub", ["one", "mask_unit"], ["other"]),
        helper.make_node("Identity", ["other" if hole else "mask_unit"], ["shown"]),
        helper.make_node("Identity", ["mask_unit" if hole else "other"], ["hidden"]),
        helper.make_node("Mul", ["image_unit", "shown"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axes"], ["sums"], keepdims=1),
        helper.make_node("ReduceSum", ["shown", "axes"], ["count"], keepdims=1),
        helper.make_node("Div", ["sums", "count"], ["mean"]),
        helper.make_node("Mul", ["mean", "hidden"], ["filled"]),
        helper.make_node("Add", ["kept", "filled"], ["unit"]),
        helper.make_node("Mul", ["unit", "white"], ["whole"]),
        helper.make_node("Transpose", ["whole"], ["ordered"], perm=[0, 2, 3, 1])
        if channels_last
        else helper.make_node("Identity", ["whole"], ["ordered"]),
        helper.make_node("Round", ["ordered"], ["rounded"])
        if eight_bits
        else helper.make_node("Identity", ["ordered"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["inpainted"], to=kind),
    ]
    return write_graph(
        path, nodes, [tensor("image", 3), tensor("mask", 1)], [tensor("inpainted", 3)], weights
    )


def write_copy(path: Path, size: tuple[int, int]) -> Path:
    """Write a network that returns its only input, an image of one size."""
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, *size])] for name in ("image", "copy")
    )
    return write_graph(path, [helper.make_node("Identity", ["image"], ["copy"])], inputs, outputs, [])
