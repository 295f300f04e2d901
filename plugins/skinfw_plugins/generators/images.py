"""The results of any system, read from files, as a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from skinfw.components.config import Size
from skinfw.data.image_formats import IMAGE_SUFFIXES, is_image_name
from skinfw.data.photo import read_image
from skinfw.data.pixel_types import image_tensor
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError, UserError, counted
from skinfw.interfaces import Generator, GeneratorIO
from skinfw.system.paths_below import composed, on_disk, path_to_read, without_suffix
from skinfw_plugins.generators.config_others import ImagesConfig

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

    def __init__(self, config: ImagesConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        self.stated_seconds = config.seconds_per_image
        self.stated_memory = None if config.peak_mib is None else round(config.peak_mib * 2**20)
        self._paths: Sequence[Path] = ()
        self._folders: dict[Path, Mapping[str, Sequence[Path]]] = {}

    def _found(self, name: str) -> Path | None:
        """Return the image of a sample."""
        root = self.config.folder
        folder = on_disk(path_to_read(root, name).parent)
        if folder not in self._folders:
            self._folders[folder] = _images_in(folder)
        paths = self._folders[folder].get(composed(name.rpartition("/")[2]), [])
        if len(paths) > 1:
            raise DataError(f"{paths[1]}: {paths[0].name} is an image of the same sample; remove one of them")
        return paths[0] if paths else None

    def begin_batch(self, names: Sequence[str]) -> None:
        """Find the images of samples. See `Generator.begin_batch`.

        Raises:
            DataError: samples have no image; the message names them.
        """
        if not self.config.folder.is_dir():
            raise DataError(f"{self.config.folder}: no such folder; give the folder of the images")
        found = {name: self._found(name) for name in names}
        missing = [name for name, path in found.items() if path is None]
        if missing:
            shown = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
            raise DataError(
                f"{self.config.folder}: no image for {len(missing)} of {counted(len(names), 'sample')}: "
                f"{shown}"
            )
        self._paths = [path for path in found.values() if path is not None]

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Return the images of the batch that was begun; ``noise`` is not used. See `Generator.forward`.

        Raises:
            DataError: an image cannot be read, or its aspect ratio is not that of the sample.
            UserError: no batch was begun, as in training.
        """
        size = condition.shape[2], condition.shape[3]
        if len(self._paths) != len(condition):
            raise UserError("the generator images knows the results for samples only; use it as a baseline")
        return image_tensor([fitted_image(path, size) for path in self._paths]).to(condition.device)


def _images_in(folder: Path) -> Mapping[str, Sequence[Path]]:
    """Return the images in a folder by their names without suffix."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_image_name(path.name):
            found.setdefault(composed(without_suffix(path.name, IMAGE_SUFFIXES)), []).append(path)
    return found


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
