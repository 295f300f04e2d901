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
            batch: the samples, on any device; they are not changed. Samples of people have the fields of
                `skinfw.data.sample.Sample` and what ``required_inputs`` names; they have keypoints where the
                configuration says ``geometric`` and a field is drawn from the pose. Without
                ``required_inputs`` an augmentation can also get photos with label maps, which have the fields
                ``image`` and ``labels`` alone.

        Raises:
            ValueError: a field would have to be drawn again, and the keypoints are missing.
        """
