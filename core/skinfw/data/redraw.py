"""Drawing the poses of a batch again, after something moved them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from skinfw.components.inputs import LINE, POSES
from skinfw.data.batch import Batch, picture_tensor
from skinfw.data.heatmaps import draw_heatmaps
from skinfw.data.keypoints import Keypoints
from skinfw.data.skeleton import draw_resized_pose


def with_pose(batch: Batch, keypoints: Tensor | None) -> Batch:
    """Return a copy with another pose, drawn in those of ``line`` and ``heatmaps`` that are among the inputs.

    Args:
        batch: the samples.
        keypoints: float ``(B, 25, 3)``; points may lie outside of the picture; None where nobody knows them.

    Raises:
        ValueError: an input shows the pose, but the keypoints are not there.
    """
    if keypoints is not None:
        # points that were not found stay 0, 0, 0
        keypoints = torch.where(keypoints[..., 2:] > 0, keypoints, 0)
    shown = [name for name in POSES if name in batch.inputs]
    if not shown:
        return replace(batch, keypoints=keypoints)
    if keypoints is None:
        raise ValueError("samples with a drawn pose cannot be moved without their keypoints")
    poses = [Keypoints(points) for points in keypoints.cpu().numpy()]
    styles = batch.line_styles or ["skeleton"] * len(poses)
    inputs = dict(batch.inputs)
    for name in shown:
        drawings = [
            draw_resized_pose(pose, batch.size, style) if name == LINE else draw_heatmaps(pose, batch.size)
            for pose, style in zip(poses, styles, strict=True)
        ]
        inputs[name] = picture_tensor(drawings).to(batch.target.device, batch.target.dtype)
    return replace(batch, inputs=inputs, keypoints=keypoints)
