"""The interface of inputs: a sample's conditioning images and masks."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeVar

from skinfw.components.config import InputConfig
from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.interfaces.component import Component

InputConfigT = TypeVar("InputConfigT", bound=InputConfig)


class Input(Component[InputConfigT, None]):
    """Makes one field of a sample from a person's images, masks and pose.

    A generator sees it as channels of its condition, stacked with other inputs in the order of
    ``data.inputs``. Losses and metrics can use it, or its region if it is a mask.

    Attributes:
        missing: the error for a sample without this input: what is missing, and what to do.
    """

    kind: ClassVar[str] = "input"
    missing: ClassVar[str]

    @abstractmethod
    def read(self, parts: SampleParts) -> Field | None:
        """Return the field in the size of the parts; it is resized later according to its type.

        Args:
            parts: the files of a sample folder, or the images just made from a photo.

        Returns:
            the value with its type; None if the sample does not provide it.

        Raises:
            DataError: a file exists but cannot be read.
        """
