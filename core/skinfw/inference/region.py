"""Baring a region of a photo: skin where a network with alpha finds it, background elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import DataError, UserError
from skinfw.inference.allowed import MaskKind
from skinfw.inference.background import Fill, fill_background
from skinfw.models.embedded import default_model
from skinfw.runtime.box import Box, bounding_box
from skinfw.runtime.full_resolution import FEATHER, FullResolution, Steps, paint_full_resolution
from skinfw.runtime.low_band import enlarged

_LEAST = 1 / 255


@dataclass(frozen=True)
class Bared:
    """The result for a region.

    Attributes:
        full: the photo with the region painted.
        skin: where skin was found, bool ``(H, W)``.
    """

    full: FullResolution
    skin: Mask


def check_finds_skin(kind: MaskKind, finds_skin: bool, model: str) -> None:
    """Reject a region if the model finds no skin in it.

    Args:
        kind: what says where to paint.
        finds_skin: whether the model finds skin.
        model: its name, or an empty text.

    Raises:
        UserError: it does not; the message names a model that does.
    """
    if kind != "region" or finds_skin:
        return
    other = default_model("painting_regions")
    known = "" if other is None else f"{other.reference}, or "
    which = f"the model {model}" if model else "this model"
    raise UserError(
        f"{which} does not find skin in a region; give a mask, or a model that does: {known}a run whose "
        "generator gives an alpha"
    )


def bare(
    photo: RgbImage,
    region: Mask,
    behind: Mask,
    skin: Mask,
    face: Mask,
    small: NDArray[np.uint8],
    box: Box,
    *,
    seed: int,
    steps: Steps,
    fill: Fill,
    where: object,
) -> Bared:
    """Paint a region: the network's skin over a background filled from the surroundings.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        region: the pixels to paint, bool ``(H, W)``.
        behind: those of them in which no skin is looked for, bool ``(H, W)``.
        skin: the visible skin but the face, bool ``(H, W)``.
        face: the visible face, bool ``(H, W)``.
        small: the network's image of ``box`` with alpha, uint8 RGBA ``(h, w, 4)``.
        box: the part of the photo that it shows.
        seed: chooses the fine structure of the skin.
        steps: see `skinfw.runtime.full_resolution.paint_full_resolution`; alpha softens the border.
        fill: fills the background.
        where: names the photo in errors.

    Raises:
        DataError: the network finds no skin.
    """
    alpha = _alpha_of(small, region & ~behind, box)
    found = alpha > _LEAST
    if not (alpha > 0.5).any():
        raise DataError(f"{where}: the model finds no skin in the region")
    background = fill_background(photo, region, region, fill)
    soft = replace(steps, feather=False)
    painted = paint_full_resolution(
        background, found, skin & ~region, face, small[..., :3], box, seed=seed, steps=soft
    )
    image = photo.copy()
    weight = alpha[region][:, None]
    mixed = background[region] + weight * (painted.image[region].astype(np.float32) - background[region])
    image[region] = np.rint(mixed).astype(np.uint8)
    return Bared(replace(painted, image=image), alpha > 0.5)


def _alpha_of(small: NDArray[np.uint8], region: Mask, box: Box) -> NDArray[np.float32]:
    """Return alpha in the photo's size, 0 outside the region, with a border as sharp as that of a mask."""
    part = bounding_box(region)
    if part is None:
        raise ValueError("the region is empty")
    wide = enlarged(small[..., 3:].astype(np.float32), box, part)[..., 0] / 255
    sharpness = max(1.0, box.height / small.shape[0] / max(1.0, FEATHER * box.height))
    alpha = np.zeros(region.shape, np.float32)
    rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
    alpha[rows, columns] = np.clip((wide - 0.5) * sharpness + 0.5, 0, 1) * region[rows, columns]
    return alpha
