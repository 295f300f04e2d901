"""A second network that improves the output of a first one."""

from __future__ import annotations

from dataclasses import replace
from math import lcm, prod
from typing import Any, Self

import torch
from torch import Tensor

from skinfw.assembly.build import build
from skinfw.components.config import Size
from skinfw.errors import RunError
from skinfw.interfaces import Generator, GeneratorIO
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.trained import checkpoint_of, open_run_or_checkpoint
from skinfw.specs.compatibility import gives_alpha
from skinfw.specs.data_spec import DataSpec
from skinfw.specs.spec import inpainting_spec
from skinfw_plugins.generators.config_architectures import TwoStageConfig

COARSE = "coarse image"
"""Name of the coarse image among the refiner's inputs, of which it is the last."""


class TwoStageGenerator(Generator[TwoStageConfig]):
    """A second network corrects the image of a first one (the report's section 7).

    The refiner sees the condition and the coarse image. Its output is a correction, not an image:
    ``output = clamp(coarse + scale * (2 * refined - 1), 0, 1)``, so that training starts near the coarse
    image and never departs from it by more than ``scale``. Clamping passes all gradients through: on the
    white that preparation leaves, half of all corrections would exceed 1 and stop learning. Residuals between
    logits need no clamp, but hardly move white or black, where the sigmoid is flat.

    Alpha is the refiner's; it sees that of the coarse image, if there is one.

    A first network that is not trained stays in evaluation mode and gets no gradient. Its weights are still
    part of the state, so a checkpoint does not depend on another run.

    Args:
        config: the two generators and how they are joined.
        io: the size and the names of the input images; a coarse generator with nothing to train sees only
            those that it requires, any other all.
    """

    def __init__(self, config: TwoStageConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        inputs = config.coarse_inputs(tuple(io.inputs))
        coarse_io = replace(io, inputs={name: io.inputs[name] for name in inputs})
        seen = {**io.inputs, COARSE: 4 if gives_alpha(config.coarse) else 3}
        self.coarse = build(config.coarse, Generator, coarse_io)
        self.refiner = build(config.refiner, Generator, replace(io, inputs=seen))
        self.pads_to = lcm(self.coarse.pads_to, self.refiner.pads_to)
        self._coarse_channels = [io.channels_of(name) for name in inputs]
        if not config.trains_coarse:
            self.coarse.requires_grad_(False)
        self.train()

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        """Return the length of one sample's noise: the coarse generator's, then the refiner's."""
        length = sum(_noise_length(part, size) for part in (self.coarse, self.refiner))
        return (length,) if length else ()

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch. See `Generator.forward`."""
        size = (condition.shape[2], condition.shape[3])
        split = _noise_length(self.coarse, size)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.config.trains_coarse):
            coarse: Tensor = self.coarse(
                self.coarse_condition(condition),
                _noise_of(self.coarse, size, None if noise is None else noise[:, :split]),
                target,
            )
        refined: Tensor = self.refiner(
            torch.cat([condition, coarse], dim=1),
            _noise_of(self.refiner, size, None if noise is None else noise[:, split:]),
            target,
        )
        color = _clamped(coarse[:, :3] + self.config.scale * (2 * refined[:, :3] - 1))
        return torch.cat([color, refined[:, 3:]], dim=1)

    def coarse_condition(self, condition: Tensor) -> Tensor:
        """Return the channels of a condition that the coarse generator sees."""
        # slices: an index for each channel would be slow in an exported graph
        return torch.cat([condition[:, channels] for channels in self._coarse_channels], dim=1)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; a coarse generator that is not trained stays in evaluation mode."""
        super().train(mode)
        if not self.config.trains_coarse:
            self.coarse.eval()
        return self

    def prepare_training(self, data: DataSpec) -> None:
        """Take the coarse generator's weights from the checkpoint that ``coarse_run`` names.

        Raises:
            RunError: the run does not exist, trained another generator, used other inputs or another size, or
                held out a smaller fraction of the images.
        """
        if self.config.coarse_run is None:
            self.coarse.prepare_training(data)
        else:
            checkpoint = checkpoint_of(open_run_or_checkpoint(self.config.coarse_run, "best"), "best")
            self._load_coarse(checkpoint, data)
        self.refiner.prepare_training(data)

    def _load_coarse(self, checkpoint: Checkpoint, data: DataSpec) -> None:
        spec, wanted = inpainting_spec(checkpoint.spec, checkpoint.path), self.config.coarse
        # the split uses a hash of names: with fractions at least as large it held out all that we hold out
        apart, ours = _kept_apart(spec.data), _kept_apart(data)
        by_hash = spec.data.split is None and data.split is None  # else the recorded split decides
        if by_hash and (apart[0] < ours[0] or apart[1] < ours[1]):
            raise RunError(
                f"{checkpoint.path}: was trained with a test_fraction of {spec.data.test_fraction} and a "
                f"validation_fraction of {spec.data.validation_fraction}, so it may have seen this run's "
                f"test or validation images ({data.test_fraction} and {data.validation_fraction}); train the "
                "coarse run with at least these fractions"
            )
        if spec.generator != wanted:
            raise RunError(
                f"{checkpoint.path}: trained the generator {spec.generator.to_json()}, but coarse is "
                f"{wanted.to_json()}; make coarse the same, or use another coarse_run"
            )
        if spec.data.inputs != data.inputs:
            raise RunError(
                f"{checkpoint.path}: its generator sees {', '.join(spec.data.input_names)}, but this spec's "
                f"data.inputs are {', '.join(self.coarse.io.inputs)}; make them the same, in the same order"
            )
        try:
            self.coarse.load_state_dict(checkpoint.weights("generator"))
        except RuntimeError as error:
            (was_high, was_wide), (high, wide) = spec.data.size, self.io.size
            raise RunError(
                f"{checkpoint.path}: its weights, trained at {was_high}x{was_wide}, do not fit a network for "
                f"{high}x{wide}; train both at the same data.size"
            ) from error


def _kept_apart(data: DataSpec) -> tuple[float, float]:
    """Return the upper bounds of the test and validation splits, as fractions of the samples."""
    return data.test_fraction, data.test_fraction + data.validation_fraction


def _noise_length(part: Generator[Any], size: Size) -> int:
    shape = part.noise_shape(size)
    return prod(shape) if shape else 0


def _noise_of(part: Generator[Any], size: Size, values: Tensor | None) -> Tensor | None:
    """Return one generator's noise in the shape that it expects, or None if it uses none."""
    shape = part.noise_shape(size)
    if values is None or not shape:
        return None
    return values.reshape(-1, *shape)


def _clamped(image: Tensor) -> Tensor:
    """Return an image clamped to [0, 1] with the gradient of the unclamped image.

    The sum is exact: between -1 and 2, subtracting a value from its bound loses no digit.
    """
    return image + (image.clamp(0, 1) - image).detach()
