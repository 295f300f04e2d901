"""What every type of field does: resize, flip and show its values, and make tensors of them.

The types are in `skinfw.data.pixel_types` and `skinfw.data.pose_types`.

Light: torch is imported when values become tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size

if TYPE_CHECKING:
    from torch import Tensor


Interpolation = Literal["linear", "nearest", "points", "redrawn"]
"""How a field's values are interpolated when the pixels of its sample move."""


@dataclass(frozen=True)
class Field:
    """One field of a sample.

    Attributes:
        type: how the value behaves.
        value: the array, or the `Keypoints`.
    """

    type: FieldType
    value: Any


@dataclass(frozen=True)
class Resized:
    """The other fields of a sample while one is resized.

    Attributes:
        old: the values before, by name.
        new: the values already resized, by name.
        old_size: height and width before, in pixels.
        size: target height and width in pixels.
    """

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    old_size: Size
    size: Size


class FieldType(ABC):
    """How the values of a field behave.

    Attributes:
        interpolation: how values are interpolated when pixels move.
    """

    interpolation: ClassVar[Interpolation]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fields to resize and warp before this one, if the sample has them."""
        return ()

    @abstractmethod
    def resize(self, value: Any, around: Resized) -> Any:
        """Return the value at another size."""

    @abstractmethod
    def tensor(self, values: Sequence[Any]) -> Tensor:
        """Return the values of several samples as one CPU tensor."""

    @abstractmethod
    def condition(self, tensor: Tensor) -> Tensor:
        """Return a batch as networks see it, float32 ``(B, C, H, W)`` in [0, 1]."""

    @abstractmethod
    def show(self, tensor: Tensor) -> Tensor:
        """Return a batch as RGB images, float32 ``(B, 3, H, W)`` in [0, 1]."""

    def pixels(self, value: Any) -> NDArray[np.uint8]:
        """Return one value as networks see it, in 8 bits: uint8 ``(H, W, C)``, 255 is 1."""
        condition = self.condition(self.tensor([value]))[0].mul(255).round().clamp(0, 255)
        return np.asarray(condition.permute(1, 2, 0).numpy(), np.uint8)

    def flip(self, tensor: Tensor) -> Tensor:
        """Return the mirror image of a batch, left to right."""
        return tensor.flip(-1)
