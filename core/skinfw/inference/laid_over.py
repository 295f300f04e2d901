"""The result of painting a photo: painted pixels over its own, warnings, and the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinfw.components.config import Size
from skinfw.data.segmentation import Mask
from skinfw.inference.allowed import Allowed
from skinfw.inference.painted import Painted
from skinfw.inference.source_photo import SourcePhoto
from skinfw.runtime.box import Box
from skinfw.runtime.full_resolution import FullResolution

MAX_SCALE = 8.0
"""Enlargement above which a warning says that the network saw much less than the photo shows."""


@dataclass(frozen=True)
class PaintedBy:
    """What painted a photo, for its report.

    Attributes:
        model: the name of the model.
        size: height and width in pixels at which it paints.
        segmenter: the name of what found the label map.
        pose: whether a pose was known.
        box: the part of the photo that the network saw.
    """

    model: str
    size: Size
    segmenter: str
    pose: bool
    box: Box


def laid_over(
    source: SourcePhoto, result: FullResolution, allowed: Allowed, behind: Mask, by: PaintedBy
) -> Painted:
    """Lay painted pixels over a photo; all others stay as they are, bit for bit.

    Args:
        source: the photo.
        result: the painted pixels.
        allowed: where they are.
        behind: those of them that were filled as background, bool ``(H, W)``.
        by: what painted them.
    """
    mask = allowed.mask
    warnings = list(allowed.warnings)
    if behind.any() and allowed.kind in ("given", "found"):
        part = np.count_nonzero(behind) / np.count_nonzero(mask)
        what = "the mask" if allowed.kind == "given" else "the holes"
        warnings.append(f"{part:.0%} of {what} is far from the limbs and was filled as background")
    if result.texture != "sampled":
        warnings.append(
            "little skin besides the face is visible, so the tone of the painted skin is uncertain"
        )
    if result.scale > MAX_SCALE:
        warnings.append(
            f"the network painted at {by.size[0]}x{by.size[1]}, and its image was "
            f"enlarged {result.scale:.1f} times"
        )
    image = source.own.copy()
    image[mask] = source.in_own_colors(result.image)[mask]
    # where clothes are taken off a cut-out, the background stays as transparent as it is
    opaque = mask & ~behind if allowed.kind in ("region", "exposed") else mask
    alpha = None if source.alpha is None else np.where(opaque, np.uint8(255), source.alpha)
    if source.converted:
        warnings.append(source.converted)
    report = {
        "size": list(source.photo.size),
        "mask": allowed.kind,
        "painted": int(np.count_nonzero(mask)),
        "background": int(np.count_nonzero(behind)),
        "left": allowed.left,
        "box": [by.box.top, by.box.left, by.box.height, by.box.width],
        "scale": round(result.scale, 3),
        "texture": result.texture,
        "model": by.model,
        "segmenter": by.segmenter,
        "pose": by.pose,
        "warnings": warnings,
    }
    return Painted(image, mask, report, alpha, source.icc, by.model, source.exif)
