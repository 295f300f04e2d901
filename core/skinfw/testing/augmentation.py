"""The contract of augmentations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from skinfw.components.config import AugmentationConfig, Size
from skinfw.components.inputs import POSES
from skinfw.data.batch import Batch, picture_tensor
from skinfw.data.heatmaps import draw_heatmaps
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.sample import APPAREL, FACE, HEATMAPS, LINE, SKIN
from skinfw.data.skeleton import draw_resized_pose
from skinfw.interfaces import Augmentation, AugmentationIO
from skinfw.testing._require import require, require_close, require_finite
from skinfw.testing.examples import example_batch

SEEDS = range(4)

PLACE_TOLERANCE = 1.5
"""Pixels between a point and the middle of the disc around it: masks move by whole pixels."""


def check_augmentation(
    component: type[Augmentation[Any]], config: AugmentationConfig, size: Size = (64, 48)
) -> None:
    """Check an augmentation against its interface, on the CPU and drawn samples.

    Checked are that shapes, types and ranges stay and the batch is left as it is; that the result follows
    from torch's seed alone, in every memory format; that a probability of 0 changes nothing; that samples
    still hold together (masks binary, kept and skin apart, input white where nothing is kept and equal to the
    target where something is); and that keypoints move with the pixels and are drawn again where the
    configuration says ``geometric``, and stay otherwise.

    Args:
        component: the class.
        config: its configuration; its probability is replaced in some of the checks.
        size: height and width in pixels, at least 32 each.

    Raises:
        AssertionError: something of the contract does not hold; the text says what.
    """

    def build(probability: float) -> Augmentation[Any]:
        return component(config.model_copy(update={"probability": probability}), AugmentationIO(size))

    batch = example_batch(8, size)
    before = _copy(batch)
    for seed in SEEDS:
        changed = _run(build(1.0), batch, seed)
        _require_same(before, batch, 0, "the batch that it was given is changed")
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


def _tensors(batch: Batch) -> dict[str, Tensor]:
    found = {**batch.inputs, "target": batch.target, "skin": batch.skin, "kept": batch.kept}
    return found if batch.keypoints is None else {**found, "keypoints": batch.keypoints}


def _copy(batch: Batch) -> Batch:
    return replace(
        batch,
        inputs={name: picture.clone() for name, picture in batch.inputs.items()},
        target=batch.target.clone(),
        skin=batch.skin.clone(),
        kept=batch.kept.clone(),
        keypoints=None if batch.keypoints is None else batch.keypoints.clone(),
    )


def _require_same(one: Batch, other: Batch, tolerance: float, message: str) -> None:
    for name, tensor in _tensors(one).items():
        require_close(tensor, _tensors(other)[name], tolerance, f"{message}: {name}")


def _check_form(changed: Batch, batch: Batch) -> None:
    require(list(changed.names) == list(batch.names), "other names come out than went in")
    before, after = _tensors(batch), _tensors(changed)
    require(before.keys() == after.keys(), f"{sorted(before)} went in, {sorted(after)} came out")
    for name, tensor in after.items():
        wanted, found = ((tuple(each.shape), each.dtype) for each in (before[name], tensor))
        require(wanted == found, f"{name} is {found} instead of {wanted}")
        require_finite(tensor, name)
        inside = name == "keypoints" or bool(((tensor >= 0) & (tensor <= 1)).all())
        require(inside, f"{name} leaves [0, 1]")


def _check_together(changed: Batch) -> None:
    """Require of samples what holds for those of a data set."""
    apparel, face, skin = (changed.inputs[name] for name in (APPAREL, FACE, SKIN))
    for name, mask in (("skin", changed.skin), ("kept", changed.kept), (SKIN, skin), (FACE, face)):
        binary = bool(((mask == 0) | (mask == 1)).all())
        require(binary, f"{name} is not a mask any more: it has values other than 0 and 1")
    kept = changed.kept > 0.5
    require(not bool((kept & (changed.skin > 0.5)).any()), "kept and skin overlap")
    require(torch.equal(skin, changed.skin.expand_as(skin)), f"{SKIN} is not the skin any more")
    require(not bool(((face > 0.5) & ~kept).any()), f"{FACE} is where nothing is kept")
    white = torch.equal(torch.where(kept, 1, apparel), torch.ones_like(apparel))
    require(white, f"{APPAREL} is not white where nothing is kept")
    shown = torch.where(kept, changed.target, 1)
    require_close(apparel, shown, 1e-5, f"{APPAREL} shows something else than the target")


def _check_pose(changed: Batch, batch: Batch, *, geometric: bool) -> None:
    if changed.keypoints is None or batch.keypoints is None:
        raise AssertionError("the keypoints are gone")
    if not geometric:
        for name, old, new in (
            ("keypoints", batch.keypoints, changed.keypoints),
            *((name, batch.inputs[name], changed.inputs[name]) for name in (*POSES, SKIN, FACE)),
            ("kept", batch.kept, changed.kept),
        ):
            require(torch.equal(old, new), f"geometric is False, but {name} changes")
        return
    moves = not torch.equal(changed.keypoints, batch.keypoints)
    require(moves, "geometric is True, but the keypoints stay where they are")
    missing = changed.keypoints[changed.keypoints[..., 2] <= 0]
    require(not bool(missing.any()), "a point that was not found is not 0, 0, 0 any more")
    poses = [Keypoints(points) for points in changed.keypoints.numpy()]
    require(changed.line_styles == batch.line_styles, "line_styles are changed")
    drawn = {
        LINE: [
            draw_resized_pose(pose, changed.size, style)
            for pose, style in zip(poses, changed.line_styles, strict=True)
        ],
        HEATMAPS: [draw_heatmaps(pose, changed.size) for pose in poses],
    }
    for name, pictures in drawn.items():
        message = f"{name} is not the drawing of the keypoints"
        require_close(changed.inputs[name], picture_tensor(pictures), 1e-6, message)


def _check_seeds(augmentation: Augmentation[Any], batch: Batch) -> None:
    results = [_run(augmentation, batch, seed) for seed in (0, 0, 1)]
    _require_same(results[0], results[1], 0, "two results under one seed differ")
    changes = any(
        not torch.equal(one, _tensors(results[2])[name]) for name, one in _tensors(results[0]).items()
    )
    require(changes, "another seed gives the same result")


def _check_formats(augmentation: Augmentation[Any], batch: Batch) -> None:
    plain, side_by_side = (
        _run(augmentation, batch.to(torch.device("cpu"), memory_format), 0)
        for memory_format in (torch.contiguous_format, torch.channels_last)
    )
    _require_same(plain, side_by_side, 1e-5, "the result is another one for channels-last tensors")


def _check_moves_together(augmentation: Augmentation[Any], size: Size) -> None:
    """Require that a disc around a keypoint goes where the keypoint goes, in each mask and in the target."""
    batch = example_batch(4, size)
    if batch.keypoints is None:
        raise AssertionError("the example has no keypoints")
    nose = BODY_25.index("Nose")
    disc = _disc(batch.keypoints[:, nose, :2], size)
    batch = replace(
        batch,
        inputs={**batch.inputs, SKIN: disc.repeat(1, 3, 1, 1), APPAREL: torch.ones_like(batch.target)},
        target=1 - disc.repeat(1, 3, 1, 1),
        skin=disc,
        kept=torch.zeros_like(disc),
    )
    seen = 0
    for seed in SEEDS:
        changed = _run(augmentation, batch, seed)
        if changed.keypoints is None:
            raise AssertionError("the keypoints are gone")
        parts = {"skin": changed.skin, SKIN: changed.inputs[SKIN][:, :1], "target": 1 - changed.target[:, :1]}
        for index, point in enumerate(changed.keypoints[:, nose, :2]):
            for name, part in parts.items():
                middle = _middle(part[index, 0])
                if middle is not None:
                    seen += 1
                    distance = float(torch.dist(middle, point))
                    require(
                        distance <= PLACE_TOLERANCE,
                        f"{name} and keypoints move apart: by {distance:.1f} pixels at a point",
                    )
    require(seen > 0, "nothing of the samples stays in the picture")


def _disc(points: Tensor, size: Size) -> Tensor:
    """Return a disc of 3 pixels around each point ``(B, 2)``, float ``(B, 1, H, W)``."""
    rows, columns = torch.arange(size[0])[:, None], torch.arange(size[1])[None]
    x, y = points[:, 0, None, None], points[:, 1, None, None]
    return ((rows - y) ** 2 + (columns - x) ** 2 <= 9).float()[:, None]


def _middle(mask: Tensor) -> Tensor | None:
    """Return x and y of a mask's middle; None where it is empty or reaches the border, being cut maybe."""
    inner = mask[1:-1, 1:-1].sum()
    if inner == 0 or inner < mask.sum():
        return None
    height, width = mask.shape
    weights = mask / mask.sum()
    return torch.stack(
        [(weights.sum(0) * torch.arange(width)).sum(), (weights.sum(1) * torch.arange(height)).sum()]
    )


def _check_without_pose(augmentation: Augmentation[Any], batch: Batch) -> None:
    """Require that samples without a drawn pose need no keypoints."""
    inputs = {name: picture for name, picture in batch.inputs.items() if name not in POSES}
    bare = replace(batch, inputs=inputs, keypoints=None)
    _check_form(_run(augmentation, bare, 0), bare)
