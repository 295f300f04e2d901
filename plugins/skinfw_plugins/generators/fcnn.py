"""The report's simple model: fully connected layers."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from skinfw.interfaces import GeneratorIO
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide
from skinfw_plugins.generators.config import FcnnConfig


class FcnnGenerator(ConditionalGenerator[FcnnConfig]):
    """Connects every value of the condition to every hidden neuron (the report's section 5.2.1.3).

    ReLU follows each hidden layer, tanh the last one, so that images stay in [0, 1]: (tanh(x) + 1) / 2 is
    the sigmoid of 2x. The report does not say how it kept them there. FiLM acts on the last hidden layer,
    dropout on all hidden layers. With one input image of 1101x750 pixels and 20 hidden neurons there are
    101,567,270 parameters.

    Args:
        config: the parameters of the network.
        io: the size, which is fixed, and the names of the input images.
    """

    def __init__(self, config: FcnnConfig, io: GeneratorIO) -> None:
        super().__init__(config, io, config.hidden_widths[-1])
        pixels = prod(io.size)
        widths = [self.incoming * pixels, *config.hidden_widths]
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.last = nn.Linear(widths[-1], config.output_channels * pixels)

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        x = channels.flatten(1)
        for layer in self.hidden:
            x = guide.drop(relu(layer(x)))
        x = self.modulate(x[:, :, None, None], guide).flatten(1)
        return torch.tanh(self.last(x)).reshape(-1, self.config.output_channels, *self.io.size)
