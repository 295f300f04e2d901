"""Networks of a few numbers in the formats of published pose estimators, with known answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_constants(
    path: Path,
    outputs: Mapping[str, NDArray[Any]],
    size: tuple[int | str, int | str],
    *,
    channels_last: bool = False,
) -> Path:
    """Write a network that takes an image and gives the same arrays whatever it shows."""
    from onnx import helper, numpy_helper

    shape = [1, *size, 3] if channels_last else [1, 3, *size]
    constants = [numpy_helper.from_array(array, f"{name}_is") for name, array in outputs.items()]
    # every output depends on the image, if only by nothing: a network without an input is none
    constants.append(numpy_helper.from_array(np.float32(0), "nothing"))
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
    ]
    infos = []
    for name, array in outputs.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        zero = f"{name}_zero"
        nodes.append(helper.make_node("Cast", ["zero"], [zero], to=kind))
        nodes.append(helper.make_node("Add", [f"{name}_is", zero], [name]))
        infos.append(helper.make_tensor_value_info(name, kind, list(array.shape)))
    return _save(path, nodes, [_image(shape)], infos, constants)


def write_brightest(path: Path, size: tuple[int, int], split: int = 2) -> Path:
    """Write a SimCC pose model that finds the brightest column and row, as all of 17 points.

    A bin's value is the largest of its column or row over all channels; bins between pixels are 0.
    """
    from onnx import TensorProto, helper, numpy_helper

    constants, nodes, infos = [], [], []
    for name, axes, side in (("simcc_x", [1, 2], size[1]), ("simcc_y", [1, 3], size[0])):
        stretched = np.kron(np.eye(side), [1, *[0] * (split - 1)]).astype(np.float32)
        constants.append(numpy_helper.from_array(stretched, f"{name}_stretch"))
        constants.append(numpy_helper.from_array(np.ones((1, 17, 1), np.float32), f"{name}_ones"))
        nodes += [
            helper.make_node("ReduceMax", ["image"], [f"{name}_profile"], axes=axes, keepdims=0),
            helper.make_node("MatMul", [f"{name}_profile", f"{name}_stretch"], [f"{name}_bins"]),
            helper.make_node("Mul", [f"{name}_ones", f"{name}_bins"], [name]),
        ]
        infos.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 17, side * split]))
    return _save(path, nodes, [_image([1, 3, *size])], infos, constants)


def simcc(
    places: Sequence[tuple[float, float]], scores: Sequence[float], size: tuple[int, int], split: int = 2
) -> dict[str, NDArray[np.float32]]:
    """Return SimCC outputs that peak at places (x, y) of a crop, in its pixels."""
    found = {}
    for axis, (name, side) in enumerate((("simcc_x", size[1]), ("simcc_y", size[0]))):
        values = np.full((1, len(places), side * split), -0.1, np.float32)
        for index, (place, score) in enumerate(zip(places, scores, strict=True)):
            values[0, index, round(place[axis] * split)] = score
        found[name] = values
    return found


POSENET_EDGES = (
    (0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11), (11, 13), (13, 15),
    (0, 6), (6, 8), (8, 10), (6, 12), (12, 14), (14, 16),
)  # fmt: skip
"""Pairs of COCO's joints by number, in the order of PoseNet's displacements."""


def write_bodypix_people(
    path: Path, people: Sequence[Mapping[int, tuple[float, float]]], size: tuple[int, int], stride: int
) -> Path:
    """Write a BodyPix 2 of constant answers: people who fill upright rectangles around their joints.

    Args:
        path: the file.
        people: for each the x and y, in pixels of the network's input, of joints by their number in COCO.
        size: height and width of the input, multiples of the stride plus one.
        stride: the output stride.
    """
    rows, columns = ((side - 1) // stride + 1 for side in size)
    segments = np.full((1, rows, columns, 1), -8, np.float32)
    heatmaps = np.full((1, rows, columns, 17), -8, np.float32)
    offsets = np.zeros((1, rows, columns, 34), np.float32)
    forward, backward = (np.zeros((1, rows, columns, 32), np.float32) for _ in range(2))
    for joints in people:
        cells = {joint: (round(y / stride), round(x / stride)) for joint, (x, y) in joints.items()}
        (top, left), (bottom, right) = np.min([*cells.values()], axis=0), np.max([*cells.values()], axis=0)
        segments[0, top : bottom + 1, left : right + 1] = 6
        for joint, (row, column) in cells.items():
            x, y = joints[joint]
            heatmaps[0, row, column, joint] = 3
            offsets[0, row, column, [joint, joint + 17]] = y - row * stride, x - column * stride
        for edge, ends in enumerate(POSENET_EDGES):
            for values, (begin, end) in ((forward, ends), (backward, ends[::-1])):
                if begin in joints and end in joints:
                    way = np.subtract(joints[end], joints[begin])[::-1]
                    values[(0, *cells[begin], [edge, edge + 16])] = way
    outputs = {
        "segments": segments,
        "part_heatmaps": np.zeros((1, rows, columns, 24), np.float32),
        "heatmaps": heatmaps,
        "short_offsets": offsets,
        "displacement_fwd": forward,
        "displacement_bwd": backward,
    }
    return write_constants(path, outputs, ("height", "width"), channels_last=True)


def _image(shape: Sequence[int | str]) -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)


def _save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> Path:
    import onnx
    from onnx import helper

    graph = helper.make_graph(nodes, "constants", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
