"""A program that inpaints images, as a baseline."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from torch import Tensor

from skinfw.components.weights import file_sha256
from skinfw.data.pixel_types import image_tensor
from skinfw.errors import DataError, UserError
from skinfw.inference.composite import to_uint8
from skinfw.interfaces import Generator
from skinfw.system.program import run_program
from skinfw_plugins.generators.config_others import CommandConfig
from skinfw_plugins.generators.images import fitted_image


class CommandGenerator(Generator[CommandConfig]):
    """Runs a program on each batch: from a folder of inputs to a folder of results.

    The folder that it reads holds a folder for each input with ``0.png``, ``1.png`` and so on; it writes
    ``0.png``, ``1.png`` and so on itself. Images of another size are resized. Nothing is trained.
    """

    def fingerprint(self) -> str:
        """Return the SHA-256 of the program.

        Raises:
            UserError: the program is missing.
        """
        found = shutil.which(self.config.program)
        if found is None:
            raise UserError(
                f"{self.config.program}: no such program; give the path of one that can be started"
            )
        return file_sha256(Path(found))

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch; ``noise`` is not used. See `Generator.forward`.

        Raises:
            UserError: the program cannot be started.
            DataError: it failed, took too long or did not write an image; the message quotes its output.
        """
        size = condition.shape[2], condition.shape[3]
        with TemporaryDirectory(prefix="skinfw-") as name:
            inputs, outputs = Path(name, "inputs"), Path(name, "outputs")
            outputs.mkdir()
            for field in self.config.required_inputs:
                _write(condition[:, self.io.channels_of(field)], inputs / field)
            arguments = [
                argument.replace("{inputs}", str(inputs)).replace("{outputs}", str(outputs))
                for argument in self.config.arguments
            ]
            printed = run_program(
                [str(self.config.program), *arguments], self.config.timeout, "one batch of images"
            )
            paths = [outputs / f"{index}.png" for index in range(len(condition))]
            missing = [path.name for path in paths if not path.is_file()]
            if missing:
                raise DataError(f"{self.config.program}: did not write {', '.join(missing)}: {printed}")
            return image_tensor([fitted_image(path, size) for path in paths]).to(condition.device)


def _write(images: Tensor, folder: Path) -> None:
    if images.shape[1] not in (1, 3):
        raise UserError(
            f"{folder.name} has {images.shape[1]} channels, which no image file holds; leave it out"
        )
    folder.mkdir(parents=True)
    for index, image in enumerate(to_uint8(images)):
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(folder / f"{index}.png")
