"""The backbone of BodyPix 2 as an encoder: a MobileNetV1 trained to find people, body parts and joints.

Sources: Howard et al. 2017, table 1 (MobileNetV1, here without its last stride of 2); tensorflow/tfjs-models,
body-pix 2.
"""

from __future__ import annotations

from pathlib import Path

import torch
from segmentation_models_pytorch.encoders._base import EncoderMixin
from torch import Tensor, nn

from skinfw.errors import UserError
from skinfw_plugins.networks.onnx_file import read_model
from skinfw_plugins.networks.smp_config import BODYPIX_DEPTH

_FIRST = 32
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 7)
"""Channels at full width, and stride, of each depthwise separable convolution."""

_LAST = (1, 3, 5, 13)
"""Index of the last block at each stride: 2, 4, 8 and 16."""


def _layer(incoming: int, outgoing: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(incoming, outgoing, kernel, stride, kernel // 2, groups=groups)
    return nn.Sequential(convolution, nn.ReLU6(inplace=True))


class BodyPixEncoder(nn.Module, EncoderMixin):  # type: ignore[misc]
    """MobileNetV1 with batch normalization folded into the convolutions, as published.

    Args:
        multiplier: width of the network: 0.5, 0.75 or 1.
        depth: stages of stride 2, at most 4.
        output_stride: stride of the innermost features, at least 16; the actual stride is never more than 16.

    Raises:
        ValueError: the depth is more than 4, or the output stride less than 16.
    """

    def __init__(self, multiplier: float, depth: int, output_stride: int) -> None:
        super().__init__()
        if depth > BODYPIX_DEPTH or output_stride < 2**BODYPIX_DEPTH:
            raise ValueError(f"the encoder has {BODYPIX_DEPTH} stages and a stride of {2**BODYPIX_DEPTH}")
        first, *channels = [int(multiplier * count) for count in (_FIRST, *(count for count, _ in _BLOCKS))]
        self._depth, self._in_channels, self._output_stride = depth, 3, 2**BODYPIX_DEPTH
        self._out_channels = [3, *(channels[block - 1] for block in _LAST)]
        blocks: list[nn.Module] = [_layer(3, first, 3, 2)]
        for incoming, outgoing, (_, stride) in zip([first, *channels], channels, _BLOCKS, strict=False):
            blocks.append(
                nn.Sequential(
                    _layer(incoming, incoming, 3, stride, groups=incoming), _layer(incoming, outgoing, 1)
                )
            )
        self.blocks = nn.ModuleList(blocks[: _LAST[depth - 1] + 1])
        # with PyTorch's default initialization the signal would vanish after so many layers
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")  # He et al. 2015
            else:
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the image, float32 RGB ``(B, 3, H, W)`` in [-1, 1], then its features, finest first.

        The features of stride s are float32 ``(B, C, H / s, W / s)`` in [0, 6].
        """
        features = [x]
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _LAST:
                features.append(x)
        return features

    def get_stages(self) -> dict[int, list[nn.Module]]:
        """Return the blocks beyond a stride of 16, which a decoder may dilate: there are none."""
        return {}

    def load(self, path: Path) -> None:
        """Load the weights of a BodyPix 2 ONNX file; its output stride does not matter.

        Raises:
            UserError: the file does not exist, is not an ONNX file, or holds another network or width.
        """
        state = self.state_dict()
        values = dict(zip(state, _weights(path, len(state)), strict=True))
        if any(values[name].shape != state[name].shape for name in state):
            raise UserError(
                f"{path}: not a BodyPix 2 with a MobileNetV1 of this encoder's width; use a file with its "
                "multiplier, or another encoder"
            )
        self.load_state_dict(values)


def _weights(path: Path, count: int) -> list[Tensor]:
    """Return the weight and bias of each convolution of a backbone, in execution order."""
    from onnx import numpy_helper

    graph = read_model(path).graph
    values = {each.name: each for each in graph.initializer}
    # a file's operators are in that order: the backbone's come before the heads, which use it
    pairs = [node.input[1:] for node in graph.node if node.op_type == "Conv"][: count // 2]
    names = [name for pair in pairs for name in pair]
    if len(names) < count or not values.keys() >= set(names):
        raise UserError(f"{path}: not a BodyPix 2 with a MobileNetV1; use such a file, or another encoder")
    return [torch.from_numpy(numpy_helper.to_array(values[name]).copy()) for name in names]
