"""A pose as heat maps: one channel per keypoint, as in pose-guided person generation."""

from __future__ import annotations

import numpy as np

from skinfw.components.config import Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import HeatMaps, RgbImage
from skinfw.data.skeleton import COLORS, DRAWN_ABOVE

SIGMA_FRACTION = 6 / 256
"""Standard deviation as a fraction of the image's longer side: 6 pixels in images of 256x176, as in PATN (Zhu
et al. 2019) and ADGAN (Men et al. 2020)."""


def draw_heatmaps(keypoints: Keypoints, size: Size) -> HeatMaps:
    """Draw a pose as 25 Gaussians, one per keypoint in the order of BODY_25.

    Args:
        keypoints: the pose, in pixels of the image to draw.
        size: height and width in pixels.

    Returns:
        uint8 ``(H, W, 25)``: 255 at the keypoint; all 0 if it was not found.
    """
    height, width = size
    sigma = SIGMA_FRACTION * max(size)
    # far away a Gaussian is 0; squares of larger numbers would overflow
    places = np.clip(keypoints.points[:, :2], -1e6, 1e6).astype(np.float64)
    found = keypoints.found(DRAWN_ABOVE)
    across = np.exp(-((np.arange(width)[:, None] - places[:, 0]) ** 2) / (2 * sigma**2)) * found
    down = np.exp(-((np.arange(height)[:, None] - places[:, 1]) ** 2) / (2 * sigma**2))
    values = np.float32(255) * down.astype(np.float32)[:, None] * across.astype(np.float32)[None]
    maps: HeatMaps = np.rint(values).astype(np.uint8)
    return maps


def colored(maps: HeatMaps) -> RgbImage:
    """Return heat maps as one image for viewing: each in its keypoint's color, the brightest in front.

    Args:
        maps: uint8 ``(..., 25)``.

    Returns:
        uint8 RGB ``(..., 3)``.
    """
    strongest = maps.argmax(axis=-1)
    level = np.take_along_axis(maps, strongest[..., None], axis=-1).astype(np.float32) / 255
    image: RgbImage = np.rint(np.array(COLORS, np.float32)[strongest] * level).astype(np.uint8)
    return image
