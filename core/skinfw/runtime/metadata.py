"""What an exported file says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skinfw.errors import UserError, first_line
from skinfw.licenses.ledger import Ledger
from skinfw.runtime.preparation import Preparation
from skinfw.system.json_file import parse_json

KEY = "skinfw"
"""The key of the metadata among the file's ``metadata_props``."""

MAX_CHARACTERS = 16 * 2**20
"""Maximum length of the metadata."""

Side = Annotated[int, Field(ge=1, le=2**16)]
Aspect = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Precision = Literal["float32", "float16", "int8"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelInput(_Strict):
    """One input of the graph: uint8 ``(N, H, W, channels)``.

    Attributes:
        name: its name.
        channels: number of its channels.
        mask: whether it is a mask, black and white.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    channels: Annotated[int, Field(ge=1, le=4096)]
    mask: bool = False


class ParserClasses(_Strict):
    """The classes of a parser, in the order of its labels, and those of each region."""

    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=255)]
    regions: dict[str, tuple[str, ...]]


class Parity(_Strict):
    """What the export compared with the checkpoint.

    Attributes:
        samples: number of test samples.
        sizes: heights and widths at which they were compared.
        max_difference: largest difference of a value, in gray levels of 255; of a parser, none.
        max_alpha_difference: largest difference of alpha within the mask, likewise; None without alpha.
        different: fraction of values, or of a parser's labels, that differ at all.
        different_skin: fraction of the mask that only one of the two calls skin, with an alpha above a half;
            None without alpha.
        psnr: of the pixels that the network paints, in dB; None if none differ, and of a parser.
        tone: mean CIEDE2000 of those pixels; None for a parser.
        changed: pixels that were to be kept but changed; of a parser, none.
    """

    samples: int
    sizes: tuple[tuple[int, int], ...]
    different: float
    max_difference: int | None = None
    max_alpha_difference: int | None = None
    different_skin: float | None = None
    psnr: float | None = None
    tone: float | None = None
    changed: int | None = None


class ModelMetadata(_Strict):
    """What an exported file says about itself, in JSON under ``skinfw`` in its ``metadata_props``.

    Attributes:
        format: version of this description.
        task: what the network does.
        inputs: the inputs of the graph: those of the spec in their order, then those of the composite alone.
        size: height and width of the training images in pixels.
        multiple: height and width must be multiples of this many pixels.
        minimum: least height and width in pixels.
        fixed: whether the file accepts the training size alone.
        precision: of weights and computation.
        composite: which pixels come from the network; None for a parser.
        alpha: whether the output has a fourth channel, how much of each pixel is skin. It is then the
            network's own image, before the composite.
        seed: of the noise in the graph; None for a network without noise.
        preparation: aspect of the crop around the person, margin around the person, and by how many pixels
            the removed skin was dilated; None for a parser.
        aspects: minimum and maximum of height over width of the training samples; None for a parser, and in
            files of older versions.
        classes: of a parser; None otherwise.
        person_margin: of a parser that looks at the person, see `skinfw.specs.segmentation_spec`; None
            otherwise.
        spec: the filled spec of the training.
        checkpoint_sha256: hash of the checkpoint.
        skinfw: version that exported it.
        license: what to consider before using the weights.
        ledger: the licenses of everything that the run used; None in files of older versions.
        parity: what was compared with the checkpoint.
    """

    format: Literal[1] = 1
    task: Literal["inpainting", "segmentation"]
    inputs: Annotated[tuple[ModelInput, ...], Field(min_length=1, max_length=1000)]
    size: tuple[Side, Side]
    multiple: Side
    minimum: Side
    fixed: bool
    precision: Precision
    composite: Literal["none", "mask", "skin", "protect"] | None
    alpha: bool
    seed: int | None
    preparation: Preparation | None
    aspects: tuple[Aspect, Aspect] | None = None
    classes: ParserClasses | None
    person_margin: Annotated[float, Field(ge=0, le=1)] | None = None
    spec: dict[str, Any]
    checkpoint_sha256: str
    skinfw: str
    license: str
    ledger: Ledger | None = None
    parity: Parity

    def size_error(self, size: tuple[int, int]) -> str | None:
        """Return why the network does not accept images of a height and width; None if it does."""
        if self.fixed and size != self.size:
            return f"the network accepts {self.size[0]}x{self.size[1]} alone"
        if min(size) < self.minimum:
            return f"each side must have at least {self.minimum} pixels"
        if any(side % self.multiple for side in size):
            return f"both sides must be multiples of {self.multiple}"
        return None


def parse_metadata(text: str | None, where: object) -> ModelMetadata:
    """Read the metadata of an exported file.

    Args:
        text: the JSON; None if the file has none.
        where: the file, for errors.

    Raises:
        UserError: it is missing, damaged, or of a newer skinfw.
    """
    if text is None:
        raise UserError(f"{where}: not exported by skinfw: it has no metadata; make it with skinfw export")
    try:
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"longer than {MAX_CHARACTERS:,} characters")
        value = parse_json(text)
        if isinstance(value, dict) and value.get("format") != 1:
            raise ValueError(f"its format is {value.get('format')!r}, and this skinfw reads 1")
        return ModelMetadata.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"{where}: its metadata is damaged: {place}: {first['msg']}; export it again"
        ) from None
    except ValueError as error:
        raise UserError(
            f"{where}: its metadata cannot be read: {first_line(error)}; export it again"
        ) from None


def read_metadata(path: str | Path) -> ModelMetadata:
    """Read the metadata of an exported file, without loading its network.

    Raises:
        UserError: it is not an ONNX file, or was not exported by skinfw.
    """
    import onnx

    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such ONNX file; give the path of one")
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except Exception as error:  # onnx and protobuf raise their own exceptions
        raise UserError(f"{path}: not a readable ONNX file: {first_line(error)}") from error
    texts = {each.key: each.value for each in model.metadata_props}
    return parse_metadata(texts.get(KEY), path)
