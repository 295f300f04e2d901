"""The types of a pose: its keypoints, and what is drawn from them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.components.field_names import KEYPOINTS, LineStyle
from skinfw.data.heatmaps import colored, draw_heatmaps
from skinfw.data.keypoints import Keypoints
from skinfw.data.resize import resize_image
from skinfw.data.skeleton import draw_resized_pose

if TYPE_CHECKING:
    from torch import Tensor

from skinfw.data.field_types import FieldType, Interpolation, Resized
from skinfw.data.pixel_types import image_tensor


@dataclass(frozen=True)
class KeypointsType(FieldType):
    """A pose: `Keypoints`, in batches float32 ``(B, 25, 3)``, x, y and confidence."""

    interpolation: ClassVar[Interpolation] = "points"

    def resize(self, value: Any, around: Resized) -> Any:
        """Move the points with the pixels."""
        return value.resized(around.old_size, around.size)

    def tensor(self, values: Sequence[Any]) -> Tensor:
        """Return float32 ``(B, 25, 3)``."""
        import torch

        return torch.from_numpy(np.stack([pose.points for pose in values]))

    def condition(self, tensor: Tensor) -> Tensor:
        """Raise an error: keypoints have no pixels."""
        raise ValueError("keypoints are not an image; use the input line or heatmaps")

    def show(self, tensor: Tensor) -> Tensor:
        """Raise an error: keypoints have no pixels."""
        raise ValueError("keypoints are not an image; show line or heatmaps")


class DrawnType(FieldType):
    """An image drawn from the keypoints, and drawn again when they move."""

    interpolation: ClassVar[Interpolation] = "redrawn"

    @property
    def needs(self) -> tuple[str, ...]:
        """The pose."""
        return (KEYPOINTS,)

    @abstractmethod
    def draw(self, pose: Keypoints, size: Size) -> Any:
        """Draw a pose.

        Args:
            pose: the keypoints, in pixels of the image to draw.
            size: height and width in pixels.

        Returns:
            uint8 ``(H, W, C)``.
        """

    def tensor(self, values: Sequence[Any]) -> Tensor:
        """Return float32 ``(B, C, H, W)`` in [0, 1]."""
        return image_tensor(values)

    def condition(self, tensor: Tensor) -> Tensor:
        """Return the drawings as they are."""
        return tensor

    def pixels(self, value: Any) -> NDArray[np.uint8]:
        """Return the drawing as it is."""
        return np.asarray(value, np.uint8)


@dataclass(frozen=True)
class PoseMapType(DrawnType):
    """The pose as an RGB image: uint8 ``(H, W, 3)``, in batches float32 ``(B, 3, H, W)`` in [0, 1].

    Attributes:
        style: the drawing style.
    """

    style: LineStyle = "skeleton"

    def draw(self, pose: Keypoints, size: Size) -> Any:
        """Draw the skeleton, uint8 RGB ``(H, W, 3)``."""
        return draw_resized_pose(pose, size, self.style)

    def resize(self, value: Any, around: Resized) -> Any:
        """Average down, interpolate up."""
        return resize_image(value, around.size)

    def show(self, tensor: Tensor) -> Tensor:
        """Return the drawings as they are."""
        return tensor


@dataclass(frozen=True)
class HeatMapsType(DrawnType):
    """One heat map per keypoint: uint8 ``(H, W, 25)``, in batches float32 ``(B, 25, H, W)`` in [0, 1].

    Before resizing, the value is the pose: maps are drawn in their final size.
    """

    def draw(self, pose: Keypoints, size: Size) -> Any:
        """Draw the maps, uint8 ``(H, W, 25)``."""
        return draw_heatmaps(pose, size)

    def resize(self, value: Any, around: Resized) -> Any:
        """Draw the maps in the target size."""
        return self.draw(value.resized(around.old_size, around.size), around.size)

    def show(self, tensor: Tensor) -> Tensor:
        """Return each map in its keypoint's color, the brightest in front."""
        maps = (tensor * 255).round().byte().movedim(1, -1).cpu().numpy()
        return image_tensor(list(colored(maps))).to(tensor.device)
