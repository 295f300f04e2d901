"""The body of BodyPix 2 as an encoder: a MobileNetV1 that was trained to find people, their parts and joints.

Sources: Howard et al. 2017, table 1 (MobileNetV1, here without its last halving); tensorflow/tfjs-models,
body-pix 2.
"""

from __future__ import annotations

from pathlib import Path

import torch
from onnx import numpy_helper
from segmentation_models_pytorch.encoders._base import EncoderMixin
from torch import Tensor, nn

from skinfw.errors import UserError
from skinfw_plugins.onnx_padding import read_model

_FIRST = 32
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 7)
"""Channels at full width, and stride, of each depthwise separable convolution."""

_SCALES = (1, 3, 5, 13)
"""The last block at each scale: a half of the picture's side, a quarter, an eighth, a sixteenth."""


def _layer(incoming: int, outgoing: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(incoming, outgoing, kernel, stride, kernel // 2, groups=groups)
    return nn.Sequential(convolution, nn.ReLU6(inplace=True))


class BodyPixEncoder(nn.Module, EncoderMixin):  # type: ignore[misc]
    """MobileNetV1 that halves a picture four times, its batch normalisation folded into its convolutions.

    It was trained on RGB from -1 to 1.

    Args:
        multiplier: width of the network: 0.5, 0.75 or 1.
        depth: how often the picture is halved, 4 at most.
        output_stride: not used: it is 16 at most.

    Raises:
        ValueError: the depth is more than 4.
    """

    def __init__(self, multiplier: float, depth: int, output_stride: int) -> None:
        super().__init__()
        if depth > len(_SCALES):
            raise ValueError(f"it halves a picture {len(_SCALES)} times, not {depth}: set encoder_depth")
        first, *channels = [int(multiplier * count) for count in (_FIRST, *(count for count, _ in _BLOCKS))]
        self._depth, self._in_channels, self._output_stride = depth, 3, 2 ** len(_SCALES)
        self._out_channels = [3, *(channels[block - 1] for block in _SCALES)]
        blocks: list[nn.Module] = [_layer(3, first, 3, 2)]
        for incoming, outgoing, (_, stride) in zip([first, *channels], channels, _BLOCKS, strict=False):
            blocks.append(
                nn.Sequential(
                    _layer(incoming, incoming, 3, stride, groups=incoming), _layer(incoming, outgoing, 1)
                )
            )
        self.blocks = nn.ModuleList(blocks[: _SCALES[depth - 1] + 1])

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the picture ``(B, 3, H, W)``, then its features at each scale, the finest first."""
        features = [x]
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _SCALES:
                features.append(x)
        return features

    def get_stages(self) -> dict[int, list[nn.Module]]:
        """Return the blocks at each stride, for decoders that want the last ones dilated instead."""
        ends = [last + 1 for last in _SCALES]
        return {
            2 ** (scale + 1): list(self.blocks[start:end])
            for scale, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
        }

    def load(self, path: Path) -> None:
        """Take the weights of an ONNX file of BodyPix 2; its output stride does not matter.

        Raises:
            UserError: it is no ONNX file, or one of another network or width.
        """
        state = self.state_dict()
        values = dict(zip(state, _weights(path, len(state)), strict=True))
        if any(values[name].shape != state[name].shape for name in state):
            raise UserError(f"{path}: no BodyPix 2 of this encoder's width; take the file of its multiplier")
        self.load_state_dict(values)


def _weights(path: Path, count: int) -> list[Tensor]:
    """Return weight and bias of each convolution of a network's body, in the order in which they run."""
    graph = read_model(path).graph
    values = {each.name: each for each in graph.initializer}
    # the operators of a file stand in that order: those of the body before the heads, which use it
    pairs = [node.input[1:] for node in graph.node if node.op_type == "Conv"][: count // 2]
    names = [name for pair in pairs for name in pair]
    if len(names) < count or not values.keys() >= set(names):
        raise UserError(f"{path}: no BodyPix 2 with a MobileNetV1; take such a file, or another encoder")
    return [torch.from_numpy(numpy_helper.to_array(values[name]).copy()) for name in names]
