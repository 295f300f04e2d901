"""Padding of dilated convolutions in ONNX files, said in numbers: ONNX Runtime works none out for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import helper

from skinfw.errors import UserError


def explicitly_padded(path: Path) -> bytes:
    """Return an ONNX file in which each dilated convolution of "same" size has its padding written out.

    TensorFlow's networks say ``auto_pad`` instead, for instance BodyPix 2 with a stride of 8. With a step of
    1 that padding is ``dilation * (kernel - 1)`` on both sides together, the odd pixel at the end for
    ``SAME_UPPER`` (ONNX, operator Conv).

    Raises:
        UserError: it is no ONNX file, or a dilated convolution has another step.
    """
    model = read_model(path)
    for node in model.graph.node:
        if node.op_type == "Conv":
            _pad(node, path)
    content: bytes = model.SerializeToString()
    return content


def read_model(path: Path) -> onnx.ModelProto:
    """Return the network of an ONNX file, with its weights.

    Raises:
        UserError: there is no such file, or it is no ONNX file.
    """
    try:
        return onnx.load(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such ONNX file; give the path of one") from None
    except (DecodeError, OSError) as error:
        raise UserError(f"{path}: no ONNX file that can be read: {error}") from error


def _pad(node: onnx.NodeProto, path: Path) -> None:
    settings: dict[str, Any] = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    dilations, automatic = settings.get("dilations", []), settings.get("auto_pad", b"NOTSET").decode()
    if max(dilations, default=1) == 1 or not automatic.startswith("SAME"):
        return
    if max(settings.get("strides", [1])) > 1:
        raise UserError(f"{path}: the convolution {node.name} is dilated and has a step: it cannot be padded")
    total = [
        dilation * (side - 1) for dilation, side in zip(dilations, settings["kernel_shape"], strict=True)
    ]
    less, more = [each // 2 for each in total], [each - each // 2 for each in total]
    before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
    kept = [each for each in node.attribute if each.name not in ("auto_pad", "pads")]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("pads", [*before, *after])])
