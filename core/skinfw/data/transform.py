"""Mirrors and warps batches, each field according to its type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from skinfw.components.field_names import KEYPOINTS
from skinfw.data.batch import Batch
from skinfw.data.field_types import FieldType
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.pixel_types import ImageType, LabelMapType, MaskType, image_tensor
from skinfw.data.pose_types import DrawnType, KeypointsType

_OTHER_SIDE = {"R": "L", "L": "R"}

MIRRORED = tuple(BODY_25.index(_OTHER_SIDE.get(name[0], name[0]) + name[1:]) for name in BODY_25)
"""For each keypoint, the one that replaces it in the mirror image."""


def mirrored(batch: Batch) -> Batch:
    """Return the mirror image of every sample, left to right.

    Pixels are mirrored exactly. In poses and label maps, the person's left and right are swapped; fields
    drawn from the pose are drawn again.

    Raises:
        ValueError: an input is drawn from the pose, but the batch has no keypoints.
    """
    flipped = {
        name: types[0].flip(batch[name])
        for name, types in batch.types.items()
        if types[0].interpolation in ("linear", "nearest")
    }
    points = None
    if KEYPOINTS in batch:
        x, y, confidence = batch[KEYPOINTS][:, MIRRORED].unbind(2)
        points = torch.stack([batch.size[1] - 1 - x, y, confidence], dim=2)
    return _with_pose(batch.updated(flipped), points)


def warped(batch: Batch, matrices: Tensor) -> Batch:
    """Return a copy in which every sample is warped by its own affine map.

    Masks and label maps use the nearest pixel. Images that a mask divides are interpolated separately on each
    side (as in `skinfw.data.resize.resize_cutout`). Keypoints move with the pixels, and fields drawn from
    them are drawn again. Pixels from beyond the border are in no mask, and have the fill color of the image's
    type.

    Args:
        batch: the samples.
        matrices: where pixels go, float ``(B, 3, 3)``, for x and y in pixels with integer centers.

    Raises:
        ValueError: an input is drawn from the pose, but the batch has no keypoints.
    """
    from kornia.geometry.linalg import transform_points

    for name, types in batch.types.items():
        if not isinstance(types[0], ImageType | MaskType | LabelMapType | KeypointsType | DrawnType):
            raise ValueError(f"{name}: fields of the type {type(types[0]).__name__} cannot be warped")
    matrices = matrices.to(batch.device)
    moved = _warp_nearest(batch, matrices[:, :2])
    moved = _warp_images(moved, batch, matrices[:, :2])
    points = None
    if KEYPOINTS in batch:
        places = batch[KEYPOINTS]
        points = torch.cat([transform_points(matrices, places[..., :2]), places[..., 2:]], dim=2)
    return _with_pose(moved, points)


def _of(batch: Batch, kind: type[FieldType]) -> list[str]:
    return [name for name, types in batch.types.items() if isinstance(types[0], kind)]


def _warp_nearest(batch: Batch, forward: Tensor) -> Batch:
    from kornia.geometry.transform import warp_affine

    moved: dict[str, Tensor] = {}
    masks = _of(batch, MaskType)
    if masks:
        together = torch.cat([batch[name] for name in masks], dim=1)
        layers = warp_affine(together, forward, batch.size, mode="nearest")
        moved.update(zip(masks, torch.split(layers, 1, dim=1), strict=True))
    for name in _of(batch, LabelMapType):
        fill = cast(LabelMapType, batch.types[name][0]).fill
        labels = batch[name][:, None].float() - (fill or 0)
        padding = "border" if fill is None else "zeros"
        layers = warp_affine(labels, forward, batch.size, mode="nearest", padding_mode=padding)
        moved[name] = (layers[:, 0] + (fill or 0)).round().long()
    return batch.updated(moved)


def _warp_images(moved: Batch, batch: Batch, forward: Tensor) -> Batch:
    """Return ``moved`` with the images of ``batch`` warped; the masks of ``moved`` are already warped."""
    from kornia.geometry.transform import warp_affine

    types = {name: cast(ImageType, batch.types[name][0]) for name in _of(batch, ImageType)}
    cut = [name for name in types if is_cut(batch, name)]
    groups: dict[tuple[str, float | None], list[str]] = {}
    for name, kind in types.items():
        if name not in cut:
            groups.setdefault((kind.divided_by, kind.fill), []).append(name)
    images: dict[str, Tensor] = {}
    for (mask, fill), names in groups.items():
        together = torch.cat([batch[name] for name in names], dim=1)
        if mask in batch and fill is not None:
            layers = _warped_apart(together, batch[mask], moved[mask], forward, fill)
        elif fill is None:
            layers = warp_affine(together, forward, batch.size, padding_mode="border").clamp(0, 1)
        else:
            layers = (warp_affine(together - fill, forward, batch.size) + fill).clamp(0, 1)
        images.update(
            zip(names, torch.split(layers, [batch[name].shape[1] for name in names], dim=1), strict=True)
        )
    return cut_again(moved.updated(images), cut)


def is_cut(batch: Batch, name: str) -> bool:
    """Return whether an image is exactly cut from the image that its type names.

    In prepared samples it is, and then one image is changed for both; two JPEG files differ slightly.
    """
    kind = batch.types[name][0]
    if not isinstance(kind, ImageType) or kind.cut_from not in batch or kind.divided_by not in batch:
        return False
    return torch.equal(batch[name], mask_outside(batch[kind.cut_from], batch[kind.divided_by]))


def cut_again(batch: Batch, names: Sequence[str]) -> Batch:
    """Return a copy in which some images are cut again from the ones that their types name."""
    types = {name: cast(ImageType, batch.types[name][0]) for name in names}
    return batch.updated(
        {name: mask_outside(batch[kind.cut_from], batch[kind.divided_by]) for name, kind in types.items()}
    )


def mask_outside(images: Tensor, mask: Tensor) -> Tensor:
    """Return images ``(B, C, H, W)`` that are white outside a mask, float ``(B, 1, H, W)`` in {0, 1}."""
    return torch.where(mask > 0.5, images, 1.0)


def _warped_apart(images: Tensor, mask: Tensor, new_mask: Tensor, forward: Tensor, fill: float) -> Tensor:
    """Return warped images ``(B, C, H, W)``, interpolated separately on each side of a mask."""
    from kornia.geometry.transform import warp_affine

    channels, size = images.shape[1], (images.shape[2], images.shape[3])
    # pixels from beyond the border are 0
    shifted = fill - images.contiguous()  # planes are interpolated faster than interleaved channels
    within = shifted * mask
    layers = torch.cat([within, shifted - within, mask], dim=1)
    moved: Tensor = warp_affine(layers, forward, size)
    within, beside, fraction = torch.split(moved, [channels, channels, 1], dim=1)
    # the nearest pixel has at least a quarter of the weight, so no relevant fraction is near 0
    inside = new_mask > 0.5
    colors = torch.where(inside, within, beside) / torch.where(inside, fraction, 1 - fraction).clamp_min(1e-6)
    return (fill - colors).clamp(0, 1)


def _with_pose(batch: Batch, points: Tensor | None) -> Batch:
    """Return a copy with another pose; fields that show it are drawn again.

    Args:
        batch: the samples.
        points: float ``(B, 25, 3)``; they may lie outside the image; None if the batch has none.
    """
    drawn = _of(batch, DrawnType)
    if points is None:
        if drawn:
            raise ValueError(
                f"{drawn[0]} shows a pose, so these samples cannot be warped without their keypoints"
            )
        return batch
    # points that were not found stay 0, 0, 0
    points = torch.where(points[..., 2:] > 0, points, 0)
    poses = [Keypoints(each) for each in points.cpu().numpy()]
    fields = {KEYPOINTS: points}
    for name in drawn:
        types = cast(Sequence[DrawnType], batch.types[name])
        drawings = [kind.draw(pose, batch.size) for kind, pose in zip(types, poses, strict=True)]
        fields[name] = image_tensor(drawings).to(batch.device)
    return batch.updated(fields)
