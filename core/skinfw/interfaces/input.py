"""The interface of inputs: the conditioning images and masks of a sample."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeVar

from skinfw.components.config import InputConfig
from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.interfaces.component import Component

InputConfigT = TypeVar("InputConfigT", bound=InputConfig)


class Input(Component[InputConfigT, None]):
    """Takes one field of a sample from what is known of the person.

    A generator sees it as channels of its condition, side by side with other inputs, in the order of
    ``data.inputs``. Losses and metrics can look at it, and at the region of a mask.

    Attributes:
        missing: what to say of a sample that has nothing to show: what is missing, and what to do.
    """

    kind: ClassVar[str] = "input"
    missing: ClassVar[str]

    @abstractmethod
    def read(self, parts: SampleParts) -> Field | None:
        """Return the field, at the size of the parts; it is resized later, as its type asks.

        Args:
            parts: the files of a sample folder, or what was just made of a photo.

        Returns:
            the value with its type; None where the sample has nothing to take it from.

        Raises:
            DataError: something is there and cannot be read.
        """
