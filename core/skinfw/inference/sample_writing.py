"""What inpainting sample folders writes, checks and reports, with a run or an exported file: no torch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skinfw.components.field_names import KEEP, MASK, SKIN
from skinfw.data.sample import Sample
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import DataError, SkinfwError, counted, listed
from skinfw.specs.spec import Composite
from skinfw.system.json_file import replacing

logger = logging.getLogger("skinfw")

SHOWN = 10
"""Maximum number of names in a message."""

_NOTHING = {
    "skin": "segmentation_skin is all black",
    "mask": "their inpainting mask is empty",
    "protect": "apparel_head_foot keeps every pixel",
}


def violations(written: RgbImage, base: RgbImage, painted: Mask) -> int:
    """Count the pixels that should have been kept but changed.

    Args:
        written: the image as it was written, uint8 RGB ``(H, W, 3)``.
        base: the input image, uint8 RGB ``(H, W, 3)``.
        painted: where the generator may change pixels, bool ``(H, W)``.

    Returns:
        the number of pixels outside ``painted`` that differ in any channel.
    """
    differs: Mask = np.any(written != base, axis=-1)
    return int(np.count_nonzero(differs & ~painted))


def painted_of(mode: Composite, sample: Sample) -> Mask:
    """Return where a generator may change pixels of a sample, bool ``(H, W)``.

    See `skinfw.inference.composite.composite_mask`.
    """
    found: Mask
    if mode == "none":
        found = np.ones_like(sample[KEEP])
    elif mode == "protect":
        found = ~sample[KEEP]
    else:
        found = sample[MASK if mode == "mask" else SKIN]
    return found


def write_checked(
    path: Path, image: RgbImage, base: RgbImage, painted: Mask, text: PngInfo | None = None
) -> None:
    """Write an inpainted image as PNG, and read it back to verify its kept pixels.

    Args:
        path: the file.
        image: the inpainted image, uint8 RGB ``(H, W, 3)``.
        base: the input image, uint8 RGB ``(H, W, 3)``.
        painted: where the generator may change pixels, bool ``(H, W)``.
        text: what to save with it.

    Raises:
        SkinfwError: kept pixels differ; nothing was written.
    """
    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG", pnginfo=text)
        with Image.open(temporary) as file:
            read_back = np.asarray(file.convert("RGB"), np.uint8)
        changed = violations(read_back, base, painted)
        if changed:
            raise SkinfwError(
                f"{path}: {counted(changed, 'pixel')} outside the mask changed, so it was not written; check "
                "the model's file and the disk, and report this if it persists"
            )


class SampleProblems:
    """Collects samples that are unusable or have nothing to inpaint.

    Args:
        on_error: skip unusable samples, or raise the error of the first.
    """

    def __init__(self, on_error: Literal["skip", "fail"]) -> None:
        self.on_error = on_error
        self.failed: list[str] = []
        self.unpainted: list[str] = []

    def skip(self, error: DataError) -> None:
        """Remember why a sample is unusable, or raise it."""
        if self.on_error == "fail":
            raise error
        self.failed.append(str(error))
        if len(self.failed) > SHOWN:  # the final error names the first ones
            logger.warning("skipped: %s", error)

    def check(self, mode: Composite, sample: Sample) -> None:
        """Remember a sample with nothing to inpaint."""
        if not painted_of(mode, sample).any():
            self.unpainted.append(sample.name)

    def tell(self, mode: Composite, usable: int, output: Path) -> None:
        """Log or raise what was found.

        Args:
            mode: the composite.
            usable: number of the other samples, including those with nothing to inpaint.
            output: the folder that they were written to.

        Raises:
            DataError: samples were unusable, or none had anything to inpaint.
        """
        nothing = ""
        if self.unpainted:
            number = f"{len(self.unpainted)} of {counted(usable, 'sample')}"
            names = listed(self.unpainted, SHOWN)
            nothing = f"nothing to inpaint in {number}, because {_NOTHING[mode]}: {names}"
        if self.failed:
            raise DataError("\n".join(filter(None, (self._failed_message(usable, output), nothing))))
        if nothing and len(self.unpainted) == usable:
            raise DataError(f"{nothing}; the files in {output} are copies of the inputs")
        if nothing:
            logger.warning("%s; their files are copies of the inputs", nothing)

    def _failed_message(self, usable: int, output: Path) -> str:
        lines = [f"  {each}" for each in self.failed[:SHOWN]]
        if len(self.failed) > SHOWN:
            lines.append(f"  and {len(self.failed) - SHOWN} more; the warnings above name them")
        others = f"the others were written to {output}" if usable else "nothing was written"
        count = len(self.failed)
        return "\n".join([f"{count} of {counted(count + usable, 'sample')} unusable; {others}", *lines])
