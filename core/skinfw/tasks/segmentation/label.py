"""Segmenting photos with a trained network, shared by evaluation and segmenters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skinfw.assembly.assemble import build_segmentation_network
from skinfw.components.field_names import IMAGE
from skinfw.data.batch import Batch
from skinfw.data.classes import ClassTable
from skinfw.errors import NotFiniteError, RunError
from skinfw.interfaces import SegmentationNetwork
from skinfw.runs.checkpoint_networks import load_part
from skinfw.runs.checkpoints import Checkpoint
from skinfw.specs.segmentation_spec import SegmentationSpec

Network = SegmentationNetwork[Any]


def load_network(checkpoint: Checkpoint, device: torch.device) -> tuple[Network, ClassTable]:
    """Build the network of a segmentation checkpoint with its weights, in evaluation mode, and its classes.

    Raises:
        RunError: it is not a segmentation checkpoint, or its weights do not fit its spec.
    """
    spec = segmentation_spec(checkpoint)
    try:
        classes = ClassTable.from_json(checkpoint.about.get("classes"))
    except ValueError as error:
        raise RunError(f"{checkpoint.path}: its table of classes is damaged: {error}") from error
    network = load_part(
        checkpoint,
        "network",
        spec.network,
        lambda: build_segmentation_network(spec, len(classes.names)),
        device,
    )
    return network, classes


def segmentation_spec(checkpoint: Checkpoint) -> SegmentationSpec:
    """Return the spec of a segmentation checkpoint.

    Raises:
        RunError: it has another task.
    """
    if not isinstance(checkpoint.spec, SegmentationSpec):
        raise RunError(
            f"{checkpoint.path}: belongs to an inpainting run; choose one whose spec has the task "
            "segmentation"
        )
    return checkpoint.spec


@torch.no_grad()
def predict(network: Network, batch: Batch, device: torch.device) -> Tensor:
    """Return a network's label maps, int64 ``(B, H, W)`` on the device.

    Raises:
        NotFiniteError: the network returns NaN or infinity for a photo.
    """
    logits: Tensor = network.eval()(batch.to(device, torch.channels_last)[IMAGE])
    finite = logits.isfinite().flatten(1).all(dim=1).tolist()
    bad = [name for name, good in zip(batch.names, finite, strict=True) if not good]
    if bad:
        raise NotFiniteError(
            f"the segmentation network's output for the photo {bad[0]} is not finite (NaN or infinity), so "
            "it was not used; its training diverged or its checkpoint is damaged: use another "
            "checkpoint, or train again with a lower learning rate"
        )
    return logits.argmax(dim=1)
