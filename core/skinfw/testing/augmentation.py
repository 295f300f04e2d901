"""The contract of augmentations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from skinfw.components.config import AugmentationConfig, Size
from skinfw.components.field_names import APPAREL, BODY, FACE, HEATMAPS, KEEP, KEYPOINTS, LINE, MASK, SKIN
from skinfw.data.batch import Batch
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.pixel_types import MaskType, image_tensor
from skinfw.data.pose_types import DrawnType, KeypointsType
from skinfw.interfaces import Augmentation, AugmentationIO
from skinfw.testing._require import require, require_close, require_finite
from skinfw.testing.examples import example_batch

SEEDS = range(4)

PLACE_TOLERANCE = 1.5
"""Maximum pixels between a point and the center of its disc: masks move by whole pixels."""


def check_augmentation(
    component: type[Augmentation[Any]], config: AugmentationConfig, size: Size = (64, 48)
) -> None:
    """Check an augmentation against its interface, on the CPU with drawn samples.

    It checks that shapes, types and ranges stay and the input batch is unchanged; that the result depends
    only on torch's seed, in every memory format; that a probability of 0 changes nothing; that samples stay
    consistent (binary masks, no overlap of kept pixels and skin, input equal to the target where kept and
    white elsewhere); and that, if the configuration says ``geometric``, keypoints move with the pixels and
    are drawn again, and otherwise stay.

    Args:
        component: the class.
        config: its configuration; its probability is replaced in some of the checks.
        size: height and width in pixels, at least 32 each.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """

    def build(probability: float) -> Augmentation[Any]:
        return component(config.model_copy(update={"probability": probability}), AugmentationIO(size))

    batch = example_batch(8, size)
    before = _copy(batch)
    for seed in SEEDS:
        changed = _run(build(1.0), batch, seed)
        _require_same(before, batch, 0, "the input batch is changed")
        _check_form(changed, batch)
        _check_together(changed)
        _check_pose(changed, batch, geometric=config.geometric)
    _require_same(batch, _run(build(0.0), batch, 0), 0, "a probability of 0 changes something")
    _check_seeds(build(0.5), batch)
    _check_formats(build(1.0), batch)
    _check_form(_run(build(1.0), example_batch(1, size), 0), example_batch(1, size))
    if config.geometric:
        _check_moves_together(build(1.0), size)
        _check_without_pose(build(1.0), batch)


def _run(augmentation: Augmentation[Any], batch: Batch, seed: int) -> Batch:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return augmentation(batch)


def _copy(batch: Batch) -> Batch:
    return batch.updated({name: tensor.clone() for name, tensor in batch.fields.items()})


def _require_same(one: Batch, other: Batch, tolerance: float, message: str) -> None:
    for name, tensor in one.fields.items():
        require_close(tensor, other[name], tolerance, f"{message}: {name}")


def _check_form(changed: Batch, batch: Batch) -> None:
    require(list(changed.names) == list(batch.names), "the names are changed")
    require(changed.types == batch.types, "the types of the fields are changed")
    before, after = batch.fields, changed.fields
    require(before.keys() == after.keys(), f"the fields {sorted(before)} become {sorted(after)}")
    for name, tensor in after.items():
        wanted, found = ((tuple(each.shape), each.dtype) for each in (before[name], tensor))
        require(wanted == found, f"{name} is {found} instead of {wanted}")
        require_finite(tensor, name)
        inside = name == KEYPOINTS or bool(((tensor >= 0) & (tensor <= 1)).all())
        require(inside, f"{name} leaves [0, 1]")


def _check_together(changed: Batch) -> None:
    """Require that samples are consistent, as those of a data set."""
    for name, types in changed.types.items():
        if isinstance(types[0], MaskType):
            binary = bool(((changed[name] == 0) | (changed[name] == 1)).all())
            require(binary, f"{name} is no longer a mask: it has values other than 0 and 1")
    keep, apparel = changed[KEEP] > 0.5, changed[APPAREL]
    for name in (SKIN, MASK):
        require(not bool((keep & (changed[name] > 0.5)).any()), f"{KEEP} and {name} overlap")
    require(not bool(((changed[FACE] > 0.5) & ~keep).any()), f"{FACE} has pixels that are not kept")
    white = torch.equal(torch.where(keep, 1, apparel), torch.ones_like(apparel))
    require(white, f"{APPAREL} is not white outside the kept pixels")
    shown = torch.where(keep, changed[BODY], 1)
    require_close(apparel, shown, 1e-5, f"{APPAREL} differs from the target")


def _check_pose(changed: Batch, batch: Batch, *, geometric: bool) -> None:
    if not geometric:
        for name in (KEYPOINTS, LINE, HEATMAPS, SKIN, FACE, KEEP, MASK):
            require(torch.equal(batch[name], changed[name]), f"geometric is False, but {name} changes")
        return
    moves = not torch.equal(changed[KEYPOINTS], batch[KEYPOINTS])
    require(moves, "geometric is True, but the keypoints do not move")
    missing = changed[KEYPOINTS][changed[KEYPOINTS][..., 2] <= 0]
    require(not bool(missing.any()), "a point that was not found is no longer 0, 0, 0")
    poses = [Keypoints(points) for points in changed[KEYPOINTS].numpy()]
    for name, types in changed.types.items():
        drawn = [
            kind.draw(pose, changed.size)
            for kind, pose in zip(types, poses, strict=True)
            if isinstance(kind, DrawnType)
        ]
        if drawn:
            message = f"{name} is not the drawing of the keypoints"
            require_close(changed[name], image_tensor(drawn), 1e-6, message)


def _check_seeds(augmentation: Augmentation[Any], batch: Batch) -> None:
    results = [_run(augmentation, batch, seed) for seed in (0, 0, 1)]
    _require_same(results[0], results[1], 0, "two results with the same seed differ")
    changes = any(not torch.equal(one, results[2][name]) for name, one in results[0].fields.items())
    require(changes, "another seed gives the same result")


def _check_formats(augmentation: Augmentation[Any], batch: Batch) -> None:
    plain, side_by_side = (
        _run(augmentation, batch.to(torch.device("cpu"), memory_format), 0)
        for memory_format in (torch.contiguous_format, torch.channels_last)
    )
    _require_same(plain, side_by_side, 1e-5, "the result differs for channels-last tensors")


def _check_moves_together(augmentation: Augmentation[Any], size: Size) -> None:
    """Require that a disc around a keypoint moves with it, in each mask and in the target."""
    batch = example_batch(4, size)
    nose = BODY_25.index("Nose")
    disc = _disc(batch[KEYPOINTS][:, nose, :2], size)
    blank = torch.zeros_like(disc)
    batch = batch.updated(
        {
            SKIN: disc,
            MASK: disc,
            KEEP: blank,
            FACE: blank,
            APPAREL: torch.ones_like(batch[BODY]),
            BODY: 1 - disc.repeat(1, 3, 1, 1),
        }
    )
    seen = 0
    for seed in SEEDS:
        changed = _run(augmentation, batch, seed)
        parts = {SKIN: changed[SKIN], MASK: changed[MASK], BODY: 1 - changed[BODY][:, :1]}
        for index, point in enumerate(changed[KEYPOINTS][:, nose, :2]):
            for name, part in parts.items():
                middle = _middle(part[index, 0])
                if middle is not None:
                    seen += 1
                    distance = float(torch.dist(middle, point))
                    require(
                        distance <= PLACE_TOLERANCE,
                        f"{name} and keypoints move differently: by {distance:.1f} pixels at one point",
                    )
    require(seen > 0, "no part of the samples stays in the image")


def _disc(points: Tensor, size: Size) -> Tensor:
    """Return a disc of 3 pixels around each point ``(B, 2)``, float ``(B, 1, H, W)``."""
    rows, columns = torch.arange(size[0])[:, None], torch.arange(size[1])[None]
    x, y = points[:, 0, None, None], points[:, 1, None, None]
    return ((rows - y) ** 2 + (columns - x) ** 2 <= 9).float()[:, None]


def _middle(mask: Tensor) -> Tensor | None:
    """Return x and y of a mask's center; None if it is empty or reaches the border, where it may be cut."""
    inner = mask[1:-1, 1:-1].sum()
    if inner == 0 or inner < mask.sum():
        return None
    height, width = mask.shape
    weights = mask / mask.sum()
    return torch.stack(
        [(weights.sum(0) * torch.arange(width)).sum(), (weights.sum(1) * torch.arange(height)).sum()]
    )


def _check_without_pose(augmentation: Augmentation[Any], batch: Batch) -> None:
    """Require that samples without a pose map need no keypoints."""
    gone = [name for name, types in batch.types.items() if isinstance(types[0], DrawnType | KeypointsType)]
    bare = replace(
        batch,
        fields={name: tensor for name, tensor in batch.fields.items() if name not in gone},
        types={name: types for name, types in batch.types.items() if name not in gone},
    )
    _check_form(_run(augmentation, bare, 0), bare)
