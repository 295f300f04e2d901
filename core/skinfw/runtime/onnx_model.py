"""An exported file as a painting model: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skinfw.errors import DataError, NotFiniteError, UserError, first_line
from skinfw.runtime.metadata import KEY, ModelInput, ModelMetadata, parse_metadata, read_metadata
from skinfw.runtime.preparation import Preparation
from skinfw.runtime.sessions import Backend, OnnxRuntimeSession, OpenVinoSession, Session, default_threads

OUTPUT = "output"
"""The graph's output: the painted image, uint8 RGB ``(N, H, W, 3)``, or the network's own with alpha,
``(N, H, W, 4)``."""

FINITE = "finite"
"""The graph's output that says whether the network returned numbers for each image, bool ``(N,)``."""


class OnnxModel:
    """Paints with a file that ``skinfw export`` wrote; needs numpy and ONNX Runtime.

    Args:
        path: the ONNX file.
        backend: what runs it: ONNX Runtime, or OpenVINO's own package.
        device: auto lets ONNX Runtime use CUDA if it can.
        threads: CPU threads; None for OMP_NUM_THREADS, or all cores.

    Attributes:
        path: the file.
        metadata: what it says about itself.
        inputs: names of the images that `__call__` needs.
        size: height and width of the training images in pixels.
        multiple: height and width must be multiples of this many pixels.
        preparation: how the training photos were prepared.

    Raises:
        UserError: the file is missing, was not exported by skinfw, is a parser, or cannot be loaded.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        backend: Backend = "onnxruntime",
        device: Literal["auto", "cpu"] = "auto",
        threads: int | None = None,
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"{self.path}: no such ONNX file; give the path of one")
        count = default_threads() if threads is None else threads
        if backend == "onnxruntime":
            session = OnnxRuntimeSession(self.path, count, device)
            self.metadata: ModelMetadata = parse_metadata(session.metadata.get(KEY), self.path)
            self._session: Session = session
        else:
            self.metadata = read_metadata(self.path)
            self._session = OpenVinoSession(self.path, count)
        if self.metadata.task != "inpainting" or self.metadata.preparation is None:
            raise UserError(
                f"{self.path}: is a parser, which does not paint; use it as the segmenter onnx_parser"
            )
        self.inputs = tuple(each.name for each in self.metadata.inputs)
        self.size: tuple[int, int] = self.metadata.size
        self.multiple: int = self.metadata.multiple
        self.preparation: Preparation = self.metadata.preparation

    def __call__(self, condition: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Paint one person.

        Args:
            condition: the images in `inputs` by name, uint8 ``(H, W, C)``, all of one size; 255 is 1. Masks
                are black-and-white images of three channels.

        Returns:
            uint8 RGB ``(H, W, 3)``; pixels that the composite keeps equal ``apparel_head_foot`` bit for bit.
            With alpha (``metadata.alpha``), the network's own image, RGBA ``(H, W, 4)``, which only means
            something within ``mask``; `skinfw.inference.background.over_background` composites it.

        Raises:
            DataError: an image is missing, of another type or channels, or of a size that the network does
                not accept, or a mask has other values than 0 and 255.
            NotFiniteError: the network returns NaN or infinity.
        """
        images = {each.name: self._checked(condition, each) for each in self.metadata.inputs}
        sizes = {name: image.shape[1:3] for name, image in images.items()}
        size = sizes[self.inputs[0]]
        other = next((name for name, each in sizes.items() if each != size), None)
        if other is not None:
            raise DataError(
                f"{other} has {sizes[other][0]}x{sizes[other][1]} pixels (height x width), "
                f"{self.inputs[0]} has {size[0]}x{size[1]}; give images of one size"
            )
        if reason := self.metadata.size_error((size[0], size[1])):
            raise DataError(f"{size[0]}x{size[1]} pixels do not fit {self.path}: {reason}")
        try:
            output, finite = self._session.run(images, [OUTPUT, FINITE])
        except Exception as error:  # runtimes raise their own exceptions
            raise UserError(f"{self.path}: cannot be run: {first_line(error)}") from error
        if not finite.all():
            raise NotFiniteError(
                f"{self.path}: the network's image is not finite (NaN or infinity); its weights are damaged, "
                "or too large for its precision"
            )
        shape = (1, *size, 4 if self.metadata.alpha else 3)
        if output.shape != shape or output.dtype != np.uint8:
            raise UserError(
                f"{self.path}: gives {output.dtype} {output.shape}, but its metadata says uint8 {shape}; "
                "export it again"
            )
        painted: NDArray[np.uint8] = output[0]
        return painted

    def _checked(self, condition: Mapping[str, NDArray[np.uint8]], wanted: ModelInput) -> NDArray[np.uint8]:
        name, channels = wanted.name, wanted.channels
        if name not in condition:
            raise DataError(f"{name} is missing; {self.path} needs {', '.join(self.inputs)}")
        image = np.asarray(condition[name])
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != channels:
            raise DataError(
                f"{name} must be uint8 (height, width, {channels}), not {image.dtype} {image.shape}"
            )
        if wanted.mask and not ((image == 255) | (image == 0)).all():
            raise DataError(f"{name} is a mask: it must be 255 where it is set and 0 elsewhere, without gray")
        return np.ascontiguousarray(image[None])
