"""Limbs drawn along the pose, a baseline."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, FACE, HEATMAPS, MASK
from skinfw.data.keypoints import Keypoints
from skinfw.data.limbs import limbs_of_pose
from skinfw.data.pixel_types import mask_tensor
from skinfw.interfaces import Generator
from skinfw_plugins.generators.condition_masks import mask_of
from skinfw_plugins.generators.config import LimbsConfig
from skinfw_plugins.shared.skin_tone import visible_tones

_LEAST = 0.1
"""Least peak of the heat map of a point that was found; between pixels it is lower than 1."""


class LimbsGenerator(Generator[LimbsConfig]):
    """Draws neck, arms, hands and legs of typical width along the pose, in the median color of the face.

    The width is a fraction of the length of the trunk, another one for each end of each part. Alpha is 1 on
    the limbs within the inpainting mask. Without a pose, no limb is drawn. Nothing is trained.
    """

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Draw a batch; ``noise`` is not used. See `Generator.forward`."""
        images, faces, maps = (condition[:, self.io.channels_of(name)] for name in (APPAREL, FACE, HEATMAPS))
        size = (images.shape[2], images.shape[3])
        drawn = [self._limbs(each, size) for each in maps.float().cpu().numpy()]
        limbs = mask_tensor(drawn).to(images.device) * mask_of(condition, self.io.channels_of(MASK))
        tones = visible_tones(images, faces)[:, :, None, None].expand(-1, -1, *size)
        return torch.cat([tones, limbs], dim=1)

    def _limbs(self, maps: NDArray[np.float32], size: Size) -> NDArray[np.bool_]:
        limbs = limbs_of_pose(pose_of_heatmaps(maps), size, self.config.width)
        return np.zeros(size, bool) if limbs is None else limbs


def pose_of_heatmaps(maps: NDArray[np.float32]) -> Keypoints:
    """Return the pose that heat maps show: their peaks, in whole pixels.

    Args:
        maps: ``(25, H, W)`` in [0, 1].

    Example:
        >>> maps = np.zeros((25, 4, 4), np.float32)
        >>> maps[0, 2, 1] = 1
        >>> pose_of_heatmaps(maps).point("Nose").tolist(), pose_of_heatmaps(maps).found().sum().item()
        ([1.0, 2.0, 1.0], 1)
    """
    peaks = maps.reshape(len(maps), -1)
    y, x = np.unravel_index(peaks.argmax(axis=1), maps.shape[1:])
    found = peaks.max(axis=1) > _LEAST
    points = np.stack([x, y, np.ones(len(maps))], axis=1) * found[:, None]
    return Keypoints(points.astype(np.float32))
