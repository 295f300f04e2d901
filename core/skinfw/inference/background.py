"""What is behind a painted limb: where an old sleeve was wider than the arm, the background shows again."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.reference import ComponentLike, read_component
from skinfw.data.body_parts import ZONES
from skinfw.data.body_zones import UNDECIDED, zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.resize import resize_cutout, resize_image
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.runtime.box import bounding_box

REACH = 1.75
"""Distance from a limb's axis, in units of its usual radius, beyond which no skin is expected. Of the skin in
street photos, 1 pixel in 100 is farther away."""

MIN_BEHIND = 0.1
"""Fraction of a mask that must lie beyond; less is the error of the pose."""

MIN_LIMB = 0.4
"""Fraction of a patch of the mask that must be near the limbs; with less, the pose does not fit the mask, and
nothing in the patch is background."""

_EDGE = 0.02
"""Share of the other side in a blurred pixel above which the pixel is part of the border."""

RADIUS = 3.0
"""OpenCV's usual radius of the neighborhood that a pixel is filled from, in pixels."""

BLUR = 0.001
"""Standard deviation of the blur between a limb and the background behind it, as a fraction of the height of
the crop; at least one pixel."""

_SIDE = 1024


class Fill(Protocol):
    """Fills what an image does not show.

    Attributes:
        context: width of what it sees around the hidden pixels, as a fraction of their longer side.
    """

    context: float

    def __call__(self, image: RgbImage, hidden: Mask) -> RgbImage:
        """Return the image with its hidden pixels filled.

        Args:
            image: uint8 RGB ``(H, W, 3)``; what it has at hidden pixels means nothing.
            hidden: bool ``(H, W)``.
        """
        ...

    def fingerprint(self) -> object:
        """Return what the pixels depend on, for JSON."""
        ...


class TeleaFill:
    """Fills hidden pixels with OpenCV's inpainting (Telea 2004). See `Fill`."""

    context = 1 / 16

    def __call__(self, image: RgbImage, hidden: Mask) -> RgbImage:
        """Return the image with its hidden pixels filled."""
        filled = cv2.inpaint(image, hidden.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
        return filled.astype(np.uint8, copy=False)

    def fingerprint(self) -> object:
        """Return what the pixels depend on, for JSON."""
        return "telea"


TELEA = TeleaFill()


def soft_edge(image: RgbImage, limbs: Mask, behind: Mask, height: int) -> RgbImage:
    """Return an image in which limbs blend into the background behind them, instead of ending in steps.

    Both are painted, so both sides of their border are blurred. All other pixels stay as they are.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        limbs: the painted skin, bool ``(H, W)``.
        behind: what became background, bool ``(H, W)``.
        height: that of the crop around the person, in pixels.
    """
    box = bounding_box(behind)
    if box is None:
        return image
    sigma = max(1.0, BLUR * height)
    reach = round(3 * sigma)
    rows = slice(max(0, box.top - 2 * reach), box.bottom + 2 * reach)
    columns = slice(max(0, box.left - 2 * reach), box.right + 2 * reach)
    limb, painted = limbs[rows, columns], (limbs | behind)[rows, columns]

    def blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
        size = 2 * reach + 1
        return np.asarray(cv2.GaussianBlur(values, (size, size), sigma, borderType=cv2.BORDER_CONSTANT))

    weight = painted.astype(np.float32)
    near = np.maximum(blurred(weight), np.float32(1e-6))
    share = blurred(limb.astype(np.float32)) / near
    mean = blurred(image[rows, columns] * weight[..., None]) / near[..., None]
    edge = painted & (share > _EDGE) & (share < 1 - _EDGE)
    out = image.copy()
    out[rows, columns][edge] = np.rint(mean[edge]).clip(0, 255).astype(np.uint8)
    return out


def behind_limbs(mask: Mask, keypoints: Keypoints) -> Mask:
    """Return the masked pixels that are too far from the limbs to be skin, bool ``(H, W)``.

    Args:
        mask: the pixels to paint, bool ``(H, W)``.
        keypoints: the person's pose, in its pixels.
    """
    zones = zones_of_pose(keypoints, (mask.shape[0], mask.shape[1]), REACH, within=mask)
    if zones is None:
        return np.zeros_like(mask)
    behind: Mask = mask & ((zones == UNDECIDED) | (zones == ZONES.index("elsewhere")))
    count, patches = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    pixels = np.bincount(patches.ravel(), minlength=count)
    far = np.bincount(patches[behind], minlength=count)
    fits = far <= (1 - MIN_LIMB) * pixels
    behind &= fits[patches]
    enough = np.count_nonzero(behind) >= MIN_BEHIND * np.count_nonzero(mask)
    return behind if enough else np.zeros_like(mask)


def fill_background(
    photo: RgbImage, mask: Mask, behind: Mask, fill: Fill = TELEA, *, person: Mask | None = None
) -> RgbImage:
    """Fill pixels from what is around the mask.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        mask: the pixels that the photo does not show, bool ``(H, W)``.
        behind: those to fill, bool ``(H, W)``.
        fill: what they are filled with.
        person: where people are, bool ``(H, W)``: they are not continued into the background, unless nothing
            else is around the mask. None: all that is around the mask is continued.

    Returns:
        a copy of the photo; it is filled at a reduced size if the mask is large.
    """
    box = bounding_box(mask)
    out = photo.copy()
    if box is None or not behind.any():
        return out
    edge = max(8, int(max(box.height, box.width) * fill.context))
    rows = slice(max(0, box.top - edge), box.bottom + edge)
    columns = slice(max(0, box.left - edge), box.right + edge)
    window, hidden = photo[rows, columns], mask[rows, columns]
    if person is not None and not (hidden | person[rows, columns]).all():
        hidden = hidden | person[rows, columns]
    height, width = hidden.shape
    factor = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    reduced, shown = resize_cutout(window, ~hidden, size)
    filled = resize_image(fill(reduced, ~shown), (height, width))
    out[rows, columns] = np.where(behind[rows, columns][..., None], filled, window)
    return out


def over_background(painted: NDArray[np.uint8], base: RgbImage, mask: Mask) -> RgbImage:
    """Lay a network's skin over a background inpainted from around the mask, as training's evaluation does.

    Args:
        painted: the network's image, uint8 RGBA ``(H, W, 4)``; alpha is how much of each pixel is skin.
        base: what is kept outside the mask, uint8 RGB ``(H, W, 3)``.
        mask: the pixels to paint, bool ``(H, W)``.

    Returns:
        uint8 RGB ``(H, W, 3)``; it equals ``base`` outside the mask.
    """
    behind = TELEA(base, mask)[mask].astype(np.float32)
    alpha = painted[mask][:, 3:].astype(np.float32) / 255
    out = base.copy()
    out[mask] = np.rint(behind + alpha * (painted[mask][:, :3] - behind)).astype(np.uint8)
    return out


def fill_with(background: ComponentLike | None) -> Fill:
    """Return what fills the background: a generator with nothing to train, or OpenCV's inpainting for None.

    Raises:
        SpecError: no such generator, or its parameters are invalid.
        UserError: it needs training or other inputs.
    """
    if background is None:
        return TELEA
    from skinfw.inference.background_generator import BackgroundGenerator  # needs torch
    from skinfw.specs.pinning import pinned_component

    return BackgroundGenerator(pinned_component(read_component("generator", background)))
