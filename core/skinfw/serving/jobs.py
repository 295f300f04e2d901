"""The work behind each address: from uploaded bytes to an image and a report."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.data.body_parts import Limb
from skinfw.data.image_file import DecodedImage, decode_image
from skinfw.errors import DataError, RunError
from skinfw.inference.holes import NoHoleError, holes_of
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.painted import Painted
from skinfw.inference.source_photo import read_source
from skinfw.serving.schemas import RepairStep


@dataclass(frozen=True)
class JobResult:
    """The result of a job.

    Attributes:
        image: a PNG file.
        report: what was done, as JSON values.
        more: other PNG files by name.
    """

    image: bytes
    report: Mapping[str, Any]
    more: Mapping[str, bytes]


def opened(file: BinaryIO, name: str, max_pixels: int) -> DecodedImage:
    """Decode an uploaded image.

    Args:
        file: the upload.
        name: names it in errors; the client's name of the file is not used.
        max_pixels: larger images are rejected before they are decoded.

    Raises:
        DataError: it cannot be used.
    """
    return decode_image(file.read(), name, max_pixels)


def paint(
    inpainter: Inpainter,
    photo: DecodedImage,
    *,
    mask: DecodedImage | None = None,
    region: DecodedImage | None = None,
    expose: Collection[Limb] = (),
    seed: int = 0,
) -> JobResult:
    """Paint a photo; see `skinfw.Inpainter.paint`.

    Raises:
        DataError: photo or mask cannot be used.
    """
    try:
        painted = inpainter.paint(photo, mask, region=region, expose=expose, seed=seed)
    except NoHoleError as error:
        raise DataError(f"{error.found}; send mask, region or expose to say what to paint") from error
    return JobResult(painted.encoded("PNG"), painted.report, {})


def repair_result(
    inpainter: Inpainter, person: DecodedImage, result: DecodedImage, steps: Collection[RepairStep]
) -> JobResult:
    """Repair the result of a try-on system; see `skinfw.repair.repair`.

    Raises:
        DataError: the pictures cannot be used.
        RunError: torch is not installed.
    """
    try:
        from skinfw.repair.parsing import Parser
        from skinfw.repair.repairing import UNTOUCHED, as_photo, repair
    except ImportError as error:
        raise RunError("repairing needs torch, which this server does not have") from error
    photo, made = as_photo(person), as_photo(result)
    parser = Parser(inpainter.segmenter, inpainter.pose_encoder)
    found, pose = parser.of_person(photo)
    repaired = repair(
        photo,
        made,
        parse_person=found,
        parse_result=parser.of_result(made),
        pose=pose,
        inpainter=inpainter if "paint" in steps else None,
        steps=steps,
    )
    model = inpainter.name if "paint" in steps else ""
    image = Painted(repaired.image, repaired.provenance != UNTOUCHED, model=model).encoded("PNG")
    return JobResult(image, {"model": model, **repaired.report}, {"provenance": _png(repaired.provenance)})


def find_holes(photo: DecodedImage) -> JobResult:
    """Find the transparent or flat white holes of a photo.

    Returns:
        a mask, white in the holes, of the size of the upright photo.

    Raises:
        DataError: the photo cannot be used.
    """
    holes = holes_of(read_source(photo))
    report = {"size": list(holes.mask.shape), "pixels": int(np.count_nonzero(holes.mask)),
              "warnings": list(holes.warnings())}  # fmt: skip
    return JobResult(_png(np.where(holes.mask, np.uint8(255), np.uint8(0))), report, {})


def _png(levels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG")
    return stream.getvalue()
