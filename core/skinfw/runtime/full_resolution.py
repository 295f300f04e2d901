"""From the network's small image to the photo's own resolution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinfw.runtime.box import Box, bounding_box
from skinfw.runtime.low_band import Colors, coverage, enlarged, extended, mean_colors, nearness, smoothed
from skinfw.runtime.neighborhood import box_sums, eroded
from skinfw.runtime.texture import NO_TEXTURE, learn_texture

TILE = 1024
"""Side in pixels of the parts that are painted one after the other, so that memory does not grow with the
photo."""

FEATHER = 0.003
"""Width of the border inside the mask that is blended with what is outside, as a fraction of the height of
the crop."""

TONE_REACH = 0.2
"""Distance from the visible skin at which painted skin gets 1/e of the difference in tone, as a fraction of
the crop's longer side: skin far away, such as that of another limb, is in another light."""

EDGE = 0.002
"""Width of the border of visible skin that is not sampled, as a fraction of the height of the crop."""


@dataclass(frozen=True)
class FullResolution:
    """A painted photo.

    Attributes:
        image: uint8 RGB ``(H, W, 3)``; equal to the photo outside the mask.
        scale: pixels of the photo per pixel of the network.
        texture: where the fine structure comes from: ``sampled``, ``noise`` or ``none``.
    """

    image: NDArray[np.uint8]
    scale: float
    texture: str


@dataclass(frozen=True)
class Steps:
    """The steps that are more than bicubic enlargement; benchmarks switch them off one by one.

    Attributes:
        weighted: keep what is beside the skin out of it.
        matched: match the tone of the visible skin.
        smoothed: remove the checkerboard artifacts of transposed convolutions, if the image is enlarged.
        texture: add fine structure.
        feather: soften the border, inside the mask only.
    """

    weighted: bool = True
    matched: bool = True
    smoothed: bool = True
    texture: bool = True
    feather: bool = True


ALL_STEPS = Steps()


def paint_full_resolution(
    photo: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    skin: NDArray[np.bool_],
    face: NDArray[np.bool_],
    small: NDArray[np.uint8],
    box: Box,
    *,
    seed: int = 0,
    steps: Steps = ALL_STEPS,
    shown: NDArray[np.bool_] | None = None,
) -> FullResolution:
    """Paint the masked pixels of a photo from the network's small image.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        mask: the pixels to paint, bool ``(H, W)``.
        skin: the visible skin but the face, bool ``(H, W)``: painted skin gets its tone.
        face: the visible face, bool ``(H, W)``: noise like its fine structure is added if there is too little
            other skin.
        small: the network's image of ``box``, uint8 RGB ``(h, w, 3)``.
        box: the part of the photo that it shows; it may extend beyond the photo.
        seed: chooses the fine structure.
        steps: what to do besides bicubic enlargement.
        shown: the pixels that are not transparent, bool ``(H, W)``: the border is blended with them; None for
            all.
    """
    skin = skin & ~mask
    size = (small.shape[0], small.shape[1])
    scale = box.height / size[0]
    low = small.astype(np.float32)
    if steps.weighted:
        low = extended(low, _solid(coverage(mask | skin, box, size)))
    if steps.matched:
        seen, weight = mean_colors(photo, skin, box, size)
        low = low + extended(seen - low, _solid(weight)) * nearness(weight, TONE_REACH)[..., None]
    if steps.smoothed and scale > 1:
        low = smoothed(low)
    texture = NO_TEXTURE
    if steps.texture:
        edge = max(1, round(EDGE * box.height))
        texture = learn_texture(
            photo,
            eroded(skin, edge),
            eroded(face & ~mask, edge),
            scale,
            seed,
            area=int(np.count_nonzero(mask)),
        )
    out = photo.copy()
    width = max(1, round(FEATHER * box.height)) if steps.feather else 0
    for part in _tiles(mask):
        rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
        painted = enlarged(low, box, part)
        painted += texture.field(part, seed)
        if width:
            painted = _feathered(painted, photo, mask, shown, part, width)
        inside = mask[rows, columns]
        out[rows, columns][inside] = np.clip(np.rint(painted[inside]), 0, 255).astype(np.uint8)
    return FullResolution(out, scale, texture.kind)


def _solid(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights that prefer whole pixels: one that shows an edge is a mixture of two colors."""
    return weight**4


def _tiles(mask: NDArray[np.bool_]) -> Iterator[Box]:
    """Yield boxes that contain all set pixels of a mask."""
    for top in range(0, mask.shape[0], TILE):
        for left in range(0, mask.shape[1], TILE):
            found = bounding_box(mask[top : top + TILE, left : left + TILE])
            if found is not None:
                yield Box(top + found.top, left + found.left, found.height, found.width)


def _feathered(
    painted: Colors,
    photo: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    shown: NDArray[np.bool_] | None,
    part: Box,
    width: int,
) -> Colors:
    """Blend the border of the mask, inside it, with the colors next to it outside.

    The photo's own pixels under the mask show the old clothes, so they are not used.
    """
    reach = width + 1
    top, left = max(0, part.top - 2 * reach), max(0, part.left - 2 * reach)
    rows, columns = slice(top, part.bottom + 2 * reach), slice(left, part.right + 2 * reach)
    inside = mask[rows, columns]
    outside_shown = ~inside if shown is None else ~inside & shown[rows, columns]
    beside = outside_shown.astype(np.float32)[..., None]
    near = box_sums(np.concatenate([photo[rows, columns] * beside, beside], axis=2), reach)
    outside = near[..., :3] / np.maximum(near[..., 3:], 1)
    fraction = np.clip((_depth(inside, reach) - 0.5) / width, 0, 1)[..., None]
    fraction = np.where(near[..., 3:] > 0, fraction, np.float32(1))
    own = (
        slice(part.top - top, part.top - top + part.height),
        slice(part.left - left, part.left - left + part.width),
    )
    blended: Colors = (fraction[own] * painted + (1 - fraction[own]) * outside[own]).astype(np.float32)
    return blended


def _depth(mask: NDArray[np.bool_], most: int) -> NDArray[np.float32]:
    """Return how deep in a mask each pixel is: 1 at its border, 0 outside, at most ``most``."""
    depth, left = np.zeros(mask.shape, np.float32), mask
    for _ in range(most):
        depth += left
        left = eroded(left, 1)
    return depth
