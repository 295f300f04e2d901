"""The result of painting a photo: painted pixels over its own, warnings, and the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.segmentation import Mask
from skinfw.inference.allowed import Allowed
from skinfw.inference.background import fill_background
from skinfw.inference.paint_mask import OPAQUE
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
    source: SourcePhoto,
    result: FullResolution,
    allowed: Allowed,
    behind: Mask,
    alpha: NDArray[np.uint8] | None,
    by: PaintedBy,
) -> Painted:
    """Lay painted pixels over a photo; all others stay as they are, bit for bit.

    Args:
        source: the photo.
        result: the painted pixels.
        allowed: where they are.
        behind: those of them that were filled as background, bool ``(H, W)``.
        alpha: the opacity of the result, see `painted_alpha`.
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


def painted_alpha(alpha: NDArray[np.uint8] | None, mask: Mask, behind: Mask) -> NDArray[np.uint8] | None:
    """Return the opacity of a painted photo, uint8 ``(H, W)``; None if it has no alpha channel.

    Skin is opaque. What became background is as transparent as what is around the mask: in a cut-out, nothing
    stays of a sleeve that was wider than the arm.

    Args:
        alpha: the opacity of the photo, uint8 ``(H, W)``, or None.
        mask: the painted pixels, bool ``(H, W)``.
        behind: those of them that became background, bool ``(H, W)``.
    """
    if alpha is None:
        return None
    around = fill_background(np.dstack([alpha] * 3), mask, behind)[..., 0]
    filled = np.where(around >= OPAQUE, np.uint8(255), np.uint8(0))
    return np.where(mask, np.where(behind, filled, np.uint8(255)), alpha)
