"""The mirror image."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from skinfw.data.batch import Batch
from skinfw.data.keypoints import BODY_25
from skinfw.data.redraw import with_pose
from skinfw_plugins.augmentations.config import FlipConfig
from skinfw_plugins.augmentations.per_sample import PerSample

_OTHER_SIDE = {"R": "L", "L": "R"}

MIRRORED = tuple(BODY_25.index(_OTHER_SIDE.get(name[0], name[0]) + name[1:]) for name in BODY_25)
"""For each keypoint the one that takes its place in the mirror image."""


class FlipAugmentation(PerSample[FlipConfig]):
    """Mirrors samples from left to right.

    Pictures and masks are mirrored exactly. The drawn pose and the heat maps are not: colors and channels
    tell the person's right side from the left, so the keypoints are mirrored, their sides exchanged, and the
    pose drawn again.
    """

    def change(self, batch: Batch) -> Batch:
        """Return the mirror image of every sample."""

        def mirror(pictures: Tensor) -> Tensor:
            return pictures.flip(3)

        mirrored = replace(
            batch,
            inputs={name: mirror(picture) for name, picture in batch.inputs.items()},
            target=mirror(batch.target),
            skin=mirror(batch.skin),
            kept=mirror(batch.kept),
        )
        if batch.keypoints is None:
            return with_pose(mirrored, None)
        x, y, confidence = batch.keypoints[:, MIRRORED].unbind(2)
        return with_pose(mirrored, torch.stack([batch.size[1] - 1 - x, y, confidence], dim=2))
