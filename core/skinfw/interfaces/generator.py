"""The interface of generators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from torch import Tensor, nn

from skinfw.components.config import GeneratorConfig, Size
from skinfw.interfaces.component import Component

if TYPE_CHECKING:
    from skinfw.specs.data_spec import DataSpec

GeneratorConfigT = TypeVar("GeneratorConfigT", bound=GeneratorConfig)


@dataclass(frozen=True)
class GeneratorIO:
    """What a generator needs to know when it is built.

    Attributes:
        size: height and width of the images in pixels.
        inputs: the number of channels of each input by name, in the order of the condition's channels.
    """

    size: Size
    inputs: Mapping[str, int]

    @property
    def condition_channels(self) -> int:
        """Channels of the condition: those of all inputs."""
        return sum(self.inputs.values())

    def channels_of(self, name: str) -> slice:
        """Return the channels of the condition that hold the named input.

        Raises:
            ValueError: the name is not among the inputs.
        """
        names = list(self.inputs)
        start = sum(self.inputs[each] for each in names[: names.index(name)])
        return slice(start, start + self.inputs[name])


class Generator(Component[GeneratorConfigT, GeneratorIO], nn.Module):
    """Generates images from a condition, from noise, or from both.

    Images are float32 RGB ``(B, 3, H, W)`` in [0, 1] at the interface; inside, a network may use any
    range. The configuration says which sizes and inputs it needs, whether there is anything to train, and
    whether the images have a fourth channel, alpha: 1 where a pixel is skin, 0 where it is something else,
    which is then taken from the background.

    Attributes:
        conditional: whether the output depends on the condition.
        timed: whether the time of `forward` says how fast the system is; not if it only reads results.
        stated_seconds: seconds per image, as somebody else measured them, of a system that is not ``timed``.
        stated_memory: bytes that such a system took at most, likewise.
        pads_to: height and width are padded inside to multiples of this many pixels. Exported files cannot
            pad, so they take only such multiples.
    """

    kind: ClassVar[str] = "generator"
    conditional: ClassVar[bool] = True
    timed: ClassVar[bool] = True
    stated_seconds: float | None = None
    stated_memory: int | None = None
    pads_to: int = 1

    @abstractmethod
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Generate a batch.

        Args:
            condition: float32 ``(B, C, H, W)`` in [0, 1], the inputs stacked along the channels: C is
                the io's ``condition_channels``.
            noise: standard normal, ``(B, *noise_shape((H, W)))``; None for generators that take none.
            target: the ground truth in training, for generators that learn from it directly, such as
                diffusion models; None otherwise. Most generators ignore it.

        Returns:
            float32 RGB ``(B, 3, H, W)`` in [0, 1]; with alpha, not premultiplied, ``(B, 4, H, W)`` if the
            configuration says ``gives_alpha``.
        """

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        """Return the shape of one sample's noise; empty for generators that take none.

        Args:
            size: height and width of the image to generate, in pixels.
        """
        return ()

    def begin_batch(self, names: Sequence[str]) -> None:
        """Learn which samples the next call of `forward` inpaints; does nothing by default.

        Evaluation calls it before each batch, for baselines that depend on more than the inputs, and at first
        once for all samples. Training never does.

        Args:
            names: the names of the batch's samples, in order.

        Raises:
            SkinfwError: a sample cannot be inpainted.
        """

    def fingerprint(self) -> str:
        """Return a fingerprint of everything besides configuration and weights that affects the images.

        For instance the SHA-256 of a file; empty by default.
        """
        return ""

    def prepare_training(self, data: DataSpec) -> None:
        """Prepare for training, for instance load weights from elsewhere; does nothing by default.

        The trainer calls it once, before the first step of a run. It is not called when a checkpoint is
        loaded, to resume or to inpaint, as a checkpoint contains all weights. If the configuration's
        `ComponentConfig.trained_by` names a run, the trainer rejects one that saw held-out samples.

        Args:
            data: the run's data.

        Raises:
            SkinfwError: something that it needs is missing or does not fit.
        """
