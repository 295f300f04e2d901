"""Explicit padding of dilated convolutions in ONNX files, which ONNX Runtime cannot compute itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from skinfw.errors import UserError
from skinfw_plugins.networks.onnx_file import read_model


def explicitly_padded(path: Path) -> bytes:
    """Return an ONNX file in which each dilated convolution of "same" size has explicit padding.

    TensorFlow's networks use ``auto_pad`` instead, for example BodyPix 2 with a stride of 8. With a step of
    1 that padding is ``dilation * (kernel - 1)`` on both sides together, the odd pixel at the end for
    ``SAME_UPPER`` (ONNX, operator Conv).

    Raises:
        UserError: it is not an ONNX file, or a dilated convolution has another step.
    """
    model = read_model(path)
    # a kernel's sides come after its channels
    sides = {each.name: each.dims[2:] for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv":
            _pad(node, sides.get(node.input[1]), path)
    content: bytes = model.SerializeToString()
    return content


def _pad(node: onnx.NodeProto, kernel: Sequence[int] | None, path: Path) -> None:
    settings: dict[str, Any] = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    dilations, automatic = settings.get("dilations", []), settings.get("auto_pad", b"NOTSET").decode()
    kernel = settings.get("kernel_shape", kernel)
    if max(dilations, default=1) == 1 or not automatic.startswith("SAME") or kernel is None:
        return
    if max(settings.get("strides", [1])) > 1:
        raise UserError(f"{path}: the convolution {node.name} is dilated and strided, so it cannot be padded")
    total = [dilation * (side - 1) for dilation, side in zip(dilations, kernel, strict=True)]
    less, more = [each // 2 for each in total], [each - each // 2 for each in total]
    before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
    kept = [each for each in node.attribute if each.name not in ("auto_pad", "pads")]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("pads", [*before, *after])])
