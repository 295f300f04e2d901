"""Networks of a few numbers, in the formats in which published ones come: they tell colors apart.

Each gives a pixel the class of the nearest of some colors, by one 1x1 convolution: the squared distance to a
color c falls as 2 c x - c c rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]


def nearest_color(image: NDArray[np.uint8], colors: Sequence[RGB]) -> NDArray[np.int64]:
    """Return the index of each pixel's nearest color, by brute force."""
    distances = np.linalg.norm(image[..., None, :].astype(float) - np.array(colors, float), axis=-1)
    found: NDArray[np.int64] = distances.argmin(axis=-1)
    return found


def _convolution(colors: Sequence[RGB]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights ``(K, 3)`` and biases ``(K,)`` for values in [0, 1]."""
    wanted = np.array(colors, np.float32) / 255
    return 2 * wanted, -(wanted**2).sum(axis=1)


def write_onnx(
    path: Path,
    colors: Sequence[RGB],
    *,
    size: tuple[int, int] | None = None,
    channels_last: bool = False,
    bgr: bool = False,
    pool: int = 1,
    codes: bool = False,
    second_output: bool = False,
) -> Path:
    """Write a network that takes values in [0, 1].

    Args:
        path: the file.
        colors: one a class.
        size: the input's fixed height and width; None: free.
        channels_last: input and output are ``(1, H, W, C)``.
        bgr: its channels are blue, green, red.
        pool: scores are means of squares of so many pixels a side.
        codes: the output is the classes' codes, int64 ``(1, H, W)``.
        second_output: an output called ``edge`` of two channels comes before the scores.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights, biases = _convolution(colors)
    weights = weights[:, ::-1] if bgr else weights
    height, width = size or ("height", "width")
    shape = [1, height, width, 3] if channels_last else [1, 3, height, width]
    kernel = np.ascontiguousarray(weights[..., None, None])
    constants = [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(biases, "b")]
    nodes, last = [], "image"

    def then(operation: str, *more: str, **attributes: object) -> None:
        nonlocal last
        name = f"{operation}_{len(nodes)}"
        nodes.append(helper.make_node(operation, [last, *more], [name], **attributes))
        last = name

    if channels_last:
        then("Transpose", perm=[0, 3, 1, 2])
    then("Conv", "w", "b")
    if pool > 1:
        then("AveragePool", kernel_shape=[pool, pool], strides=[pool, pool])
    if codes:
        then("ArgMax", axis=1, keepdims=0)
    elif channels_last:
        then("Transpose", perm=[0, 2, 3, 1])
    kind = TensorProto.INT64 if codes else TensorProto.FLOAT
    outputs = [helper.make_tensor_value_info(last, kind, [None] * (3 if codes else 4))]
    if second_output:
        constants.append(numpy_helper.from_array(np.array([0, 0], np.int64), "two"))
        nodes.append(helper.make_node("Gather", [last, "two"], ["edge"], axis=1))
        outputs.insert(0, helper.make_tensor_value_info("edge", TensorProto.FLOAT, [None] * 4))
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "colors", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def write_tflite(path: Path, colors: Sequence[RGB], side: int = 8) -> Path:
    """Write a network for MediaPipe's ImageSegmenter: a square in, a softmax over classes out.

    MediaPipe wants to read in the file's metadata how values are normalized and what the output is.
    """
    import flatbuffers
    from mediapipe.tasks.metadata import image_segmenter_metadata_schema_py_generated as segmenter_fb
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_fb
    from mediapipe.tasks.metadata import schema_py_generated as fb

    def packed(table: object, identifier: bytes) -> bytes:
        builder = flatbuffers.Builder(1024)
        builder.Finish(table.Pack(builder), identifier)  # type: ignore[attr-defined]
        return bytes(builder.Output())

    def filled(table: object, **fields: object) -> object:
        for name, value in fields.items():
            assert hasattr(table, name), f"{type(table).__name__} has no {name}"
            setattr(table, name, value)
        return table

    weights, biases = _convolution(colors)
    count = len(colors)

    def tensor(name: str, shape: list[int], buffer: int) -> object:
        return filled(fb.TensorT(), name=name, shape=shape, type=fb.TensorType.FLOAT32, buffer=buffer)

    def process(unit: object, options: object, kind: int) -> object:
        return filled(unit, optionsType=kind, options=options)

    options = filled(segmenter_fb.ImageSegmenterOptionsT(), activation=segmenter_fb.Activation.SOFTMAX)
    normalize = process(
        metadata_fb.ProcessUnitT(),
        filled(metadata_fb.NormalizationOptionsT(), mean=[0.0], std=[255.0]),
        metadata_fb.ProcessUnitOptions.NormalizationOptions,
    )
    image = filled(
        metadata_fb.ContentT(),
        contentPropertiesType=metadata_fb.ContentProperties.ImageProperties,
        contentProperties=filled(metadata_fb.ImagePropertiesT(), colorSpace=metadata_fb.ColorSpaceType.RGB),
    )
    about = filled(
        metadata_fb.ModelMetadataT(),
        name="colors",
        subgraphMetadata=[
            filled(
                metadata_fb.SubGraphMetadataT(),
                inputTensorMetadata=[
                    filled(
                        metadata_fb.TensorMetadataT(), name="image", content=image, processUnits=[normalize]
                    )
                ],
                outputTensorMetadata=[filled(metadata_fb.TensorMetadataT(), name="masks")],
                customMetadata=[
                    filled(
                        metadata_fb.CustomMetadataT(),
                        name="SEGMENTER_METADATA",
                        data=list(packed(options, b"V001")),
                    )
                ],
            )
        ],
    )
    buffers = [
        b"",
        np.ascontiguousarray(weights.reshape(count, 1, 1, 3)).tobytes(),
        biases.tobytes(),
        packed(about, b"M001"),
    ]
    convolution = filled(
        fb.Conv2DOptionsT(), padding=fb.Padding.VALID, strideW=1, strideH=1, dilationWFactor=1,
        dilationHFactor=1,
    )  # fmt: skip
    operator = filled(
        fb.OperatorT(), opcodeIndex=0, inputs=[0, 1, 2], outputs=[3], builtinOptions=convolution,
        builtinOptionsType=fb.BuiltinOptions.Conv2DOptions,
    )  # fmt: skip
    graph = filled(
        fb.SubGraphT(),
        tensors=[
            tensor("image", [1, side, side, 3], 0),
            tensor("weights", [count, 1, 1, 3], 1),
            tensor("biases", [count], 2),
            tensor("masks", [1, side, side, count], 0),
        ],
        inputs=[0],
        outputs=[3],
        operators=[operator],
    )
    code = fb.BuiltinOperator.CONV_2D
    model = filled(
        fb.ModelT(),
        version=3,
        operatorCodes=[filled(fb.OperatorCodeT(), builtinCode=code, deprecatedBuiltinCode=code, version=1)],
        subgraphs=[graph],
        buffers=[filled(fb.BufferT(), data=list(each) or None) for each in buffers],
        metadata=[filled(fb.MetadataT(), name="TFLITE_METADATA", buffer=3)],
    )
    path.write_bytes(packed(model, b"TFL3"))
    return path


def save_segformer(folder: Path, names: Sequence[str], seed: int = 0) -> Path:
    """Save a SegFormer of a few channels with random weights, and its image processor."""
    import torch
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

    torch.manual_seed(seed)
    config = SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[8, 8], patch_sizes=[7, 3],
        strides=[4, 2], num_attention_heads=[1, 1], mlp_ratios=[2, 2], decoder_hidden_size=8,
        id2label=dict(enumerate(names)), label2id={name: code for code, name in enumerate(names)},
    )  # fmt: skip
    SegformerForSemanticSegmentation(config).save_pretrained(folder, safe_serialization=True)
    SegformerImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
