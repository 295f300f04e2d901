"""The batch of tensors that networks, losses and metrics see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.inputs import LineStyle
from skinfw.data.sample import Sample
from skinfw.data.segmentation import Mask, Picture


@dataclass(frozen=True)
class Batch:
    """Several samples as tensors.

    Attributes:
        names: the samples' names.
        inputs: the input pictures by name, float32 RGB ``(B, 3, H, W)`` in [0, 1]; heat maps have 25
            channels, see `skinfw.components.inputs.channels_of`.
        target: float32 RGB ``(B, 3, H, W)`` in [0, 1].
        skin: float32 ``(B, 1, H, W)`` in {0, 1}; all 0 for a sample whose skin is not known.
        kept: float32 ``(B, 1, H, W)`` in {0, 1}; head, feet and apparel of ``apparel_head_foot``.
        keypoints: BODY_25 points, float32 ``(B, 25, 3)``, x, y and confidence as in
            `skinfw.data.keypoints.Keypoints`; None where not every sample brings them.
        line_styles: how each sample's ``line`` is drawn; empty where all are OpenPose's skeletons.
        source_sizes: height and width of each sample before it was resized.
    """

    names: Sequence[str]
    inputs: Mapping[str, Tensor]
    target: Tensor
    skin: Tensor
    kept: Tensor
    keypoints: Tensor | None = None
    line_styles: Sequence[LineStyle] = ()
    source_sizes: Sequence[Size] = ()

    @property
    def size(self) -> Size:
        """Height and width of the pictures in pixels."""
        return (self.target.shape[2], self.target.shape[3])

    def condition(self, names: Sequence[str]) -> Tensor:
        """Return the named input pictures side by side as channels, ``(B, C, H, W)``."""
        return torch.cat([self.inputs[name] for name in names], dim=1)

    def take(self, indices: Tensor) -> Batch:
        """Return some samples, by their places in the batch, int64 ``(N,)`` on its device."""
        return Batch(
            names=[self.names[index] for index in indices.tolist()],
            inputs={name: picture[indices] for name, picture in self.inputs.items()},
            target=self.target[indices],
            skin=self.skin[indices],
            kept=self.kept[indices],
            keypoints=None if self.keypoints is None else self.keypoints[indices],
            line_styles=[self.line_styles[index] for index in indices.tolist()] if self.line_styles else (),
            source_sizes=[self.source_sizes[index] for index in indices.tolist()]
            if self.source_sizes
            else (),
        )

    def put(self, indices: Tensor, changed: Batch) -> Batch:
        """Return a copy in which some samples are replaced.

        Args:
            indices: their places in the batch, int64 ``(N,)`` on its device.
            changed: what replaces them: the same samples, changed.
        """

        def copied(old: Tensor, new: Tensor) -> Tensor:
            return old.index_copy(0, indices, new)

        keypoints = self.keypoints
        if keypoints is not None and changed.keypoints is not None:
            keypoints = copied(keypoints, changed.keypoints)
        return replace(
            self,
            inputs={name: copied(picture, changed.inputs[name]) for name, picture in self.inputs.items()},
            target=copied(self.target, changed.target),
            skin=copied(self.skin, changed.skin),
            kept=copied(self.kept, changed.kept),
            keypoints=keypoints,
        )

    def to(self, device: torch.device, memory_format: torch.memory_format) -> Batch:
        """Return the batch on a device and in a memory format."""

        def move(tensor: Tensor) -> Tensor:
            layout = memory_format if tensor.ndim == 4 else torch.preserve_format
            return tensor.to(device, non_blocking=True, memory_format=layout)

        return self._each(move)

    def pin_memory(self) -> Batch:
        """Return the batch in page-locked memory, which a GPU reads while it computes."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return replace(
            self,
            inputs={name: change(picture) for name, picture in self.inputs.items()},
            target=change(self.target),
            skin=change(self.skin),
            kept=change(self.kept),
            keypoints=None if self.keypoints is None else change(self.keypoints),
        )


def picture_tensor(pictures: Sequence[Picture]) -> Tensor:
    """Turn uint8 pictures ``(H, W, C)``, RGB or heat maps, into float32 ``(B, C, H, W)`` in [0, 1]."""
    stacked = torch.from_numpy(np.stack(pictures))
    return stacked.permute(0, 3, 1, 2).to(torch.float32).div_(255.0)


def mask_tensor(masks: Sequence[Mask]) -> Tensor:
    """Turn bool masks ``(H, W)`` into float32 ``(B, 1, H, W)`` in {0, 1}."""
    return torch.from_numpy(np.stack(masks)).to(torch.float32).unsqueeze(1)


def _keypoints_tensor(samples: Sequence[Sample]) -> Tensor | None:
    points = [sample.keypoints.points for sample in samples if sample.keypoints is not None]
    return torch.from_numpy(np.stack(points)) if len(points) == len(samples) else None


def _size(picture: Picture) -> Size:
    return picture.shape[0], picture.shape[1]


def collate(samples: Sequence[Sample]) -> Batch:
    """Put samples of one size together into a batch of CPU tensors."""
    unknown = [np.zeros(sample.kept.shape, bool) for sample in samples]
    skins = [
        blank if sample.skin is None else sample.skin for sample, blank in zip(samples, unknown, strict=True)
    ]
    return Batch(
        names=[sample.name for sample in samples],
        inputs={
            name: picture_tensor([sample.inputs[name] for sample in samples]) for name in samples[0].inputs
        },
        target=picture_tensor([sample.target for sample in samples]),
        skin=mask_tensor(skins),
        kept=mask_tensor([sample.kept for sample in samples]),
        keypoints=_keypoints_tensor(samples),
        line_styles=[sample.line_style for sample in samples],
        source_sizes=[sample.source_size or _size(sample.target) for sample in samples],
    )
