"""The types of fields with pixels: images, masks and label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skinfw.components.field_names import BODY, KEEP
from skinfw.data.classes import UNKNOWN
from skinfw.data.label_file import sample_palette
from skinfw.data.resize import coverage, resize_cutout, resize_image, resize_labels, resize_mask
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

from skinfw.data.field_types import FieldType, Interpolation, Resized


@dataclass(frozen=True)
class ImageType(FieldType):
    """An RGB image: uint8 ``(H, W, 3)``, in batches float32 ``(B, 3, H, W)`` in [0, 1].

    Attributes:
        fill: value in [0, 1] beyond the border, or None to repeat the border.
        divided_by: name of a mask. Pixels inside and outside are interpolated separately, so that neither
            bleeds into the other.
        cut_from: name of the image that this one is cut from along ``divided_by``, white outside; empty for
            none. Where it is exactly that, it stays so.
        recolored: whether augmentations that change the person's colors change it too, as they do ``body``.
    """

    interpolation: ClassVar[Interpolation] = "linear"
    fill: float | None = 1.0
    divided_by: str = ""
    cut_from: str = ""
    recolored: bool = False

    def __post_init__(self) -> None:
        if self.fill is None and self.divided_by:
            raise ValueError("an image that a mask divides needs a fill")

    @property
    def needs(self) -> tuple[str, ...]:
        """The mask that divides the image, and the image that it is cut from."""
        return tuple(filter(None, (self.divided_by, self.cut_from)))

    def resize(self, value: Any, around: Resized) -> Any:
        """Average down, interpolate up, separately on each side of the mask."""
        if self.divided_by in around.old:
            return resize_cutout(value, around.old[self.divided_by], around.size)[0]
        return resize_image(value, around.size)

    def tensor(self, values: Sequence[Any]) -> Tensor:
        """Return float32 ``(B, 3, H, W)`` in [0, 1]."""
        return image_tensor(values)

    def condition(self, tensor: Tensor) -> Tensor:
        """Return the images as they are."""
        return tensor

    def pixels(self, value: Any) -> NDArray[np.uint8]:
        """Return the image as it is."""
        return np.asarray(value, np.uint8)

    def show(self, tensor: Tensor) -> Tensor:
        """Return the images as they are."""
        return tensor


@dataclass(frozen=True)
class MaskType(FieldType):
    """A mask: bool ``(H, W)``, in batches float32 ``(B, 1, H, W)`` in {0, 1}.

    Networks see it as a black-and-white RGB image, as in the report.

    Attributes:
        inside: name of a mask that this one never leaves; empty for none.
        beside: name of the mask that divides the sample's images, if this one is the other side: a resized
            pixel that shows any of it is set, unless the dividing mask is set there.
    """

    interpolation: ClassVar[Interpolation] = "nearest"
    inside: str = ""
    beside: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The masks that limit this one."""
        return tuple(filter(None, (self.inside, self.beside)))

    def resize(self, value: Any, around: Resized) -> Any:
        """Set pixels that are at least half covered, or covered at all if it is ``beside`` another mask."""
        if value.shape == around.size:
            return value
        resized = resize_mask(value, around.size)
        if self.beside in around.old:
            over = resize_mask(value & around.old[self.beside], around.size)
            resized = ((coverage(value, around.size) > 0) & ~around.new[self.beside]) | over
        if self.inside in around.new:
            resized = resized & around.new[self.inside]
        return resized

    def tensor(self, values: Sequence[Any]) -> Tensor:
        """Return float32 ``(B, 1, H, W)`` in {0, 1}."""
        return mask_tensor(values)

    def condition(self, tensor: Tensor) -> Tensor:
        """Return black-and-white RGB images."""
        return tensor.expand(-1, 3, -1, -1)

    def pixels(self, value: Any) -> NDArray[np.uint8]:
        """Return a black-and-white RGB image."""
        return np.where(value[..., None], np.uint8(255), np.uint8(0)).repeat(3, axis=2)

    def show(self, tensor: Tensor) -> Tensor:
        """Return black-and-white RGB images."""
        return tensor.expand(-1, 3, -1, -1)


@dataclass(frozen=True)
class KeepType(MaskType):
    """The mask that divides the images of a sample: a pixel is set if more than half of it is covered."""

    def resize(self, value: Any, around: Resized) -> Any:
        """Divide as `skinfw.data.resize.resize_cutout` does."""
        return value if value.shape == around.size else coverage(value, around.size) > 0.5


@dataclass(frozen=True)
class LabelMapType(FieldType):
    """A label map: uint8 ``(H, W)``, in batches int64 ``(B, H, W)``.

    Attributes:
        classes: number of classes.
        flipped: for each label the one that it becomes in the mirror image, the left arm the right one for
            instance; empty where none changes.
        fill: label of what lies beyond the border, or None to repeat the border.
    """

    interpolation: ClassVar[Interpolation] = "nearest"
    classes: int = 256
    flipped: tuple[int, ...] = ()
    fill: int | None = None

    def __post_init__(self) -> None:
        pairs = list(enumerate(self.flipped))
        if pairs and (len(pairs) < self.classes or any(pairs[other][1] != one for one, other in pairs)):
            raise ValueError("flipped must exchange classes in pairs, and name one for each class")

    def resize(self, value: Any, around: Resized) -> Any:
        """Take the nearest pixel: no new labels.

        Raises:
            DataError: a label has no class.
        """
        resized = resize_labels(value, around.size)
        strange = resized[(resized >= self.classes) & (resized != UNKNOWN)]
        if strange.size:
            raise DataError(f"label {int(strange[0])} has no class: there are {self.classes}")
        return resized

    def tensor(self, values: Sequence[Any]) -> Tensor:
        """Return int64 ``(B, H, W)``."""
        import torch

        return torch.from_numpy(np.stack(values)).long()

    def condition(self, tensor: Tensor) -> Tensor:
        """Return one channel per class, float32 ``(B, classes, H, W)`` in {0, 1}; 0 for unknown pixels."""
        known = tensor < self.classes
        channels = tensor.new_zeros((len(tensor), self.classes, *tensor.shape[1:]), dtype=known.float().dtype)
        return channels.scatter_(1, tensor.where(known, 0)[:, None], known[:, None].float())

    def pixels(self, value: Any) -> NDArray[np.uint8]:
        """Return one channel per class, 255 where a pixel has it; 0 for unknown pixels."""
        return np.where(value[..., None] == np.arange(self.classes), np.uint8(255), np.uint8(0))

    def show(self, tensor: Tensor) -> Tensor:
        """Return the classes in colors."""
        return image_tensor(list(sample_palette()[tensor.cpu().numpy()])).to(tensor.device)

    def flip(self, tensor: Tensor) -> Tensor:
        """Return the mirror image, with the labels of left and right exchanged."""
        mirrored = tensor.flip(-1)
        if not self.flipped:
            return mirrored
        table = [*self.flipped, *range(len(self.flipped), UNKNOWN + 1)]
        return tensor.new_tensor(table)[mirrored]


BODY_TYPE = ImageType(divided_by=KEEP)
"""The person on white."""

APPAREL_TYPE = ImageType(divided_by=KEEP, cut_from=BODY)
"""The agnostic image."""

KEEP_TYPE = KeepType()
INPAINTING_MASK_TYPE = MaskType(beside=KEEP)
SKIN_TYPE = MaskType()


def image_tensor(images: Sequence[RgbImage]) -> Tensor:
    """Return uint8 images ``(H, W, C)`` as float32 ``(B, C, H, W)`` in [0, 1]."""
    import torch

    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).to(torch.float32).div_(255.0)


def mask_tensor(masks: Sequence[Any]) -> Tensor:
    """Return bool masks ``(H, W)`` as float32 ``(B, 1, H, W)`` in {0, 1}."""
    import torch

    return torch.from_numpy(np.stack(masks).astype(np.float32)).unsqueeze(1)  # torch converts slower
