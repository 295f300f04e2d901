"""The interface of augmentations."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from skinfw.components.config import AugmentationConfig, Size
from skinfw.data.batch import Batch
from skinfw.interfaces.component import Component

AugmentationConfigT = TypeVar("AugmentationConfigT", bound=AugmentationConfig)


@dataclass(frozen=True)
class AugmentationIO:
    """What an augmentation needs to know when it is built.

    Attributes:
        size: height and width of the images in pixels.
    """

    size: Size


class Augmentation(Component[AugmentationConfigT, AugmentationIO]):
    """Varies training samples randomly.

    It acts on whole samples: all images of a sample change together, by one draw of random numbers, and a
    pose is moved as keypoints and drawn again.
    """

    kind: ClassVar[str] = "augmentation"

    @abstractmethod
    def __call__(self, batch: Batch) -> Batch:
        """Return a changed copy of a batch, of the same size; uses torch's random numbers.

        Args:
            batch: the samples, on any device, which must not change. They have keypoints if the
                configuration says ``geometric`` and the pose map ``line`` is among the inputs, and all
                inputs in ``required_inputs``.

        Raises:
            ValueError: ``line`` would have to be drawn again, but the batch has no keypoints.
        """
