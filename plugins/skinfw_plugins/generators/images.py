"""The results of any system, read from files, as a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from skinfw.components.config import Size
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.photo import read_image
from skinfw.data.pixel_types import image_tensor
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError, UserError, counted
from skinfw.interfaces import Generator
from skinfw.preparation.source import photos_below
from skinfw.system.paths_below import composed, without_suffix
from skinfw_plugins.generators.config import ImagesConfig

_TOLERANCE = 0.02
"""Difference of the aspect ratios, or one pixel, up to which an image is resized."""

_NAMED = 5
"""Number of missing samples that a message names."""


class ImagesGenerator(Generator[ImagesConfig]):
    """Shows images that another system made of the same samples.

    The image of the sample ``anna/front`` is ``anna/front.png`` in the folder, or has any other suffix that
    skinfw reads. Images of another size are resized. Nothing is trained.
    """

    conditional: ClassVar[bool] = False
    timed: ClassVar[bool] = False

    _paths: Sequence[Path] = ()

    @cached_property
    def _by_name(self) -> dict[str, Path]:
        root = self.config.folder
        found: dict[str, Path] = {}
        for path in photos_below(root, lambda _: ()):
            name = composed(without_suffix(path.relative_to(root).as_posix(), IMAGE_SUFFIXES))
            if name in found:
                raise DataError(f"{path}: {found[name].name} has the same name; remove one of them")
            found[name] = path
        return found

    def begin_batch(self, names: Sequence[str]) -> None:
        """Find the images of samples. See `Generator.begin_batch`.

        Raises:
            DataError: samples have no image; the message names them.
        """
        missing = [name for name in names if composed(name) not in self._by_name]
        if missing:
            shown = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
            raise DataError(
                f"{self.config.folder}: no image for {len(missing)} of {counted(len(names), 'sample')}: "
                f"{shown}"
            )
        self._paths = [self._by_name[composed(name)] for name in names]

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Return the images of the batch that was begun; ``noise`` is not used. See `Generator.forward`.

        Raises:
            DataError: an image cannot be read, or its aspect ratio is not that of the sample.
            UserError: no batch was begun, as in training.
        """
        size = condition.shape[2], condition.shape[3]
        if len(self._paths) != len(condition):
            raise UserError("the generator images is a baseline; it cannot be part of a trained generator")
        return image_tensor([fitted_image(path, size) for path in self._paths]).to(condition.device)


def fitted_image(path: Path, size: Size) -> RgbImage:
    """Read the result of another system in the size of a sample (height, width), uint8 RGB ``(H, W, 3)``.

    Raises:
        DataError: it cannot be read, or has another shape.
    """
    image = read_image(path)
    width = size[0] * image.shape[1] / image.shape[0]
    if abs(width - size[1]) > max(1, _TOLERANCE * size[1]):
        raise DataError(
            f"{path}: {image.shape[0]}x{image.shape[1]} does not have the shape of the samples, which are "
            f"{size[0]}x{size[1]} (height x width)"
        )
    return resize_image(image, size)
