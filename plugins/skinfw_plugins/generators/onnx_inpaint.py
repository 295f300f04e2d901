"""Inpainting networks of others in ONNX files, as baselines and to fill backgrounds."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, MASK
from skinfw.data.pixel_types import image_tensor
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import UserError, counted
from skinfw.inference.composite import to_uint8
from skinfw.interfaces import Generator
from skinfw_plugins.generators.condition_masks import mask_of
from skinfw_plugins.generators.config_others import OnnxConfig, OnnxInput
from skinfw_plugins.generators.framing import Frame
from skinfw_plugins.networks.onnx_file import OnnxFile, Shape

_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
"""Usual values of black and white."""

_OFF = 0.05
"""Mean difference from the known pixels, where white is 1, below which a range is believed."""


class OnnxGenerator(Generator[OnnxConfig]):
    """Fills the inpainting mask with an inpainting network in an ONNX file.

    The network gets one image at a time, of the size that the file prescribes: the image keeps its aspect
    ratio and is padded by reflection. Outside the mask every pixel stays as it is. Nothing is trained.
    """

    @cached_property
    def file(self) -> OnnxFile:
        """The ONNX file.

        Raises:
            UserError: it is missing, or not an ONNX file.
        """
        return OnnxFile(self.config.path)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file."""
        return self.file.fingerprint()

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch; ``noise`` is not used. See `Generator.forward`.

        Raises:
            UserError: the file does not fit its table; the message says why.
            DataError: the network returns NaN or infinity.
        """
        regions = mask_of(condition, self.io.channels_of(MASK))[:, 0].cpu().numpy()
        given: dict[str, Any] = {
            name: to_uint8(condition[:, self.io.channels_of(name)]) for name in self.io.inputs
        }
        painted = []
        for index, region in enumerate(regions):
            fields = {name: images[index] for name, images in given.items()}
            fields[MASK] = np.where(region, np.uint8(255), np.uint8(0))[..., None]
            found = self._painted(fields)
            painted.append(np.where(region[..., None], found, fields[APPAREL]))
        return image_tensor(painted).to(condition.device)

    def _painted(self, fields: dict[str, NDArray[np.uint8]]) -> RgbImage:
        frame = self._frame((fields[MASK].shape[0], fields[MASK].shape[1]))
        framed = {name: frame.put(image, mask=name == MASK) for name, image in fields.items()}
        values = {name: self._values(name, framed[each.input]) for name, each in self._table.items()}
        (output,) = self.file.run(values, [self._output])
        return frame.take(self._image(output, framed[APPAREL], framed[MASK][..., 0] == 0))

    @cached_property
    def _table(self) -> dict[str, OnnxInput]:
        shapes = self.file.inputs
        table = self.config.inputs
        if table is None:
            by_channels = {3: APPAREL, 1: MASK}
            table = {
                name: OnnxInput(input=by_channels[channels])
                for name, shape in shapes.items()
                if (channels := _channels(shape)) in by_channels
            }
            if len(shapes) != 2 or {each.input for each in table.values()} != {APPAREL, MASK}:
                raise UserError(
                    f"{self.file.path}: does not take one image and one mask; it has the inputs "
                    f"{_listed(shapes)}; say in inputs what each is given"
                )
        if set(table) != set(shapes):
            raise UserError(
                f"{self.file.path}: inputs must name the file's inputs, which are {_listed(shapes)}; it "
                f"names {', '.join(table)}"
            )
        for name, each in table.items():
            self._check_channels(name, each.input, shapes[name])
        return table

    def _check_channels(self, name: str, field: str, shape: Shape) -> None:
        own = 1 if field == MASK else self.io.inputs[field]
        taken = _channels(shape)
        if len(shape) != 4 or taken not in (own, None, 3 if field == MASK else own):
            raise UserError(
                f"{self.file.path}: its input {name} has the shape {_shown(shape)}, which does not fit "
                f"{field} with {counted(own, 'channel')}"
            )

    @cached_property
    def _output(self) -> str:
        if self.config.output is not None:
            self.file.require_outputs([self.config.output], "the configured network")
            return self.config.output
        for name, shape in self.file.outputs.items():
            if len(shape) == 4 and (3 in (shape[1], shape[3]) or None in (shape[1], shape[3])):
                return name
        raise UserError(
            f"{self.file.path}: no output is an image; it has the outputs {_listed(self.file.outputs)}"
        )

    def _frame(self, size: Size) -> Frame:
        """Return the frame of an image of this size."""
        return Frame.of(size, self.config.size or self._fixed, self.config.multiple_of)

    @cached_property
    def _fixed(self) -> Size | None:
        """The size that the file prescribes; None if it is free."""
        found = {size for name in self._table if (size := _size(self.file.inputs[name])) is not None}
        if len(found) > 1:
            raise UserError(f"{self.file.path}: its inputs have different sizes: {_listed(self.file.inputs)}")
        return next(iter(found), None)

    def _values(self, name: str, image: NDArray[np.uint8]) -> NDArray[Any]:
        kind, shape = self.file.input_types[name], self.file.inputs[name]
        black, white = self._table[name].range or _range(kind)
        if (
            kind.kind in "iu"
            and not np.iinfo(kind).min <= min(black, white) <= max(black, white) <= np.iinfo(kind).max
        ):
            raise UserError(
                f"{self.file.path}: its input {name} takes {kind}, which cannot hold [{black:g}, {white:g}]; "
                "set another range"
            )
        values = black + image.astype(np.float32) * ((white - black) / 255)
        if image.shape[2] == 1 and _channels(shape) == 3:
            values = np.repeat(values, 3, axis=2)
        if kind.kind in "iu":
            values = np.rint(values)
        ordered = values if _channels_last(shape) else values.transpose(2, 0, 1)
        return np.ascontiguousarray(ordered[None]).astype(kind)

    def _image(self, output: NDArray[Any], given: NDArray[np.uint8], known: Mask) -> RgbImage:
        """Return an output as an image, uint8 RGB ``(h, w, 3)``.

        Args:
            output: what the network returned.
            given: the image that it was given.
            known: the pixels outside the hole, by which the output's range is checked.
        """
        if output.ndim != 4 or 3 not in (output.shape[1], output.shape[3]):
            raise UserError(
                f"{self.file.path}: its output {self._output} has the shape {output.shape}, and is not an "
                "RGB image"
            )
        values = output[0] if output.shape[3] == 3 else output[0].transpose(1, 2, 0)
        values = values.astype(np.float32)
        declared = self.config.output_range or _range(output.dtype)
        if values.shape == given.shape and known.any():
            self._check_range(values[known], (given[known] / 255).astype(np.float32), declared)
        image: RgbImage = np.clip(np.rint(_scaled(values, declared) * 255), 0, 255).astype(np.uint8)
        return image

    def _check_range(
        self, values: NDArray[np.float32], known: NDArray[np.float32], declared: tuple[float, float]
    ) -> None:
        """Reject a range by which the output is far from the known pixels, if a usual range fits them."""

        def off(black_and_white: tuple[float, float]) -> float:
            return float(np.abs(_scaled(values, black_and_white) - known).mean())

        best = min(_RANGES, key=off)
        if off(declared) > _OFF and off(best) < off(declared) / 4:
            raise UserError(
                f"{self.file.path}: its output {self._output} lies in [{values.min():g}, {values.max():g}]; "
                f"black as {declared[0]:g} and white as {declared[1]:g} do not fit, but [{best[0]:g}, "
                f"{best[1]:g}] does: set output_range"
            )


def _scaled(values: NDArray[np.float32], black_and_white: tuple[float, float]) -> NDArray[np.float32]:
    black, white = black_and_white
    return (values - black) / (white - black)


def _size(shape: Shape) -> Size | None:
    if len(shape) != 4:
        return None
    height, width = shape[1:3] if _channels_last(shape) else shape[2:]
    return None if height is None or width is None else (height, width)


def _channels_last(shape: Shape) -> bool:
    return len(shape) == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3)


def _channels(shape: Shape) -> int | None:
    if len(shape) != 4:
        return None
    return shape[3] if _channels_last(shape) else shape[1]


def _range(kind: np.dtype[Any]) -> tuple[float, float]:
    return (0, 255) if kind.kind in "iu" else (0, 1)


def _shown(shape: Shape) -> str:
    return "x".join("?" if side is None else str(side) for side in shape)


def _listed(shapes: dict[str, Shape]) -> str:
    return ", ".join(f"{name} {_shown(shape)}" for name, shape in shapes.items())
