"""Moving all parts of a sample by one matrix: pictures, masks, and the pose as keypoints."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import torch
from kornia.geometry.linalg import transform_points
from kornia.geometry.transform import warp_affine
from torch import Tensor

from skinfw.components.config import Size
from skinfw.data.batch import Batch
from skinfw.data.redraw import with_pose
from skinfw.data.sample import APPAREL, FACE, SKIN
from skinfw.interfaces.augmentation import AugmentationConfigT
from skinfw_plugins.augmentations.cutout import mask_outside, shows_the_target
from skinfw_plugins.augmentations.per_sample import PerSample

MASKS = (SKIN, FACE)
"""The input pictures that are masks."""


class Geometric(PerSample[AugmentationConfigT]):
    """Moves pixels by an affine map, another one for every sample."""

    @abstractmethod
    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps.

        Args:
            count: number of samples.
            size: height and width of the pictures in pixels.

        Returns:
            where pixels go, float32 ``(count, 3, 3)``: for x and y in pixels, whole numbers being the centers
            of pixels, as keypoints have them.
        """

    def change(self, batch: Batch) -> Batch:
        """Return a copy in which every sample is moved."""
        matrices = self.matrices(len(batch.names), batch.size).to(batch.target.device)
        points = batch.keypoints
        if points is not None:
            points = torch.cat([transform_points(matrices, points[..., :2]), points[..., 2:]], dim=2)
        return with_pose(warped(batch, matrices), points)


def warped(batch: Batch, matrices: Tensor) -> Batch:
    """Return a copy with moved pictures and masks; the pose stays where it is.

    Masks take the nearest pixel. Of ``apparel_head_foot`` and of the target, what is kept and what is not are
    interpolated apart (as `skinfw.data.resize.resize_cutout` does), so that neither white nor skin bleeds
    into kept pixels nor these into others. What comes in from beyond the border is background: white, and in
    no mask.

    Args:
        batch: the samples.
        matrices: where pixels go, float ``(B, 3, 3)``, in pixels whose centers are whole numbers.
    """
    forward, size = matrices[:, :2], batch.size
    names = [name for name in MASKS if name in batch.inputs]
    masks = torch.cat([batch.kept, batch.skin, *(batch.inputs[name][:, :1] for name in names)], dim=1)
    nearest: Tensor = warp_affine(masks, forward, size, mode="nearest")
    kept, skin, *others = torch.split(nearest, 1, dim=1)
    if shows_the_target(batch):
        target = _warped_colors(batch.target, batch.kept, kept, forward)
        apparel = mask_outside(target, kept)
    else:
        both = torch.cat([batch.inputs[APPAREL], batch.target], dim=1)
        apparel, target = torch.chunk(_warped_colors(both, batch.kept, kept, forward), 2, dim=1)
    inputs = {**batch.inputs, APPAREL: apparel}
    for name, mask in zip(names, others, strict=True):
        inputs[name] = mask.repeat(1, 3, 1, 1)
    return replace(batch, inputs=inputs, target=target, skin=skin, kept=kept)


def _warped_colors(pictures: Tensor, kept: Tensor, new_kept: Tensor, forward: Tensor) -> Tensor:
    """Return moved pictures ``(B, C, H, W)``, of which kept and other pixels were interpolated apart."""
    channels = pictures.shape[1]
    # of inverted pictures the background is 0, as is what lies beyond the border
    dark = 1 - pictures.contiguous()  # planes are interpolated faster than channels that lie side by side
    dark_kept = dark * kept
    layers = torch.cat([dark_kept, dark - dark_kept, kept], dim=1)
    moved: Tensor = warp_affine(layers, forward, (pictures.shape[2], pictures.shape[3]))
    within, beside, share = torch.split(moved, [channels, channels, 1], dim=1)
    # the nearest pixel has at least a quarter of the weight, so no share that counts is near 0
    inside = new_kept > 0.5
    colors = torch.where(inside, within, beside) / torch.where(inside, share, 1 - share).clamp_min(1e-6)
    return (1 - colors).clamp(0, 1)
