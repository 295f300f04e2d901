from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from skinfw.data.batch import Batch, collate
from skinfw.data.keypoints import Keypoints
from skinfw.data.sample import Sample
from skinfw.testing import example_batch


def sample(name: str, value: int, *, keypoints: bool = True) -> Sample:
    picture = np.full((4, 6, 3), value, np.uint8)
    points = Keypoints(np.full((25, 3), value / 100, np.float32)) if keypoints else None
    return Sample(name, {"line": picture}, picture, picture[..., 0] > 20, picture[..., 0] <= 20, points)


def test_keypoints_are_put_together() -> None:
    batch = collate([sample("a", 10), sample("b", 30)])
    assert batch.keypoints is not None
    assert (tuple(batch.keypoints.shape), batch.keypoints.dtype) == ((2, 25, 3), torch.float32)
    assert batch.keypoints[:, 3, 1].tolist() == pytest.approx([0.1, 0.3])
    moved = batch.to(torch.device("cpu"), torch.channels_last)
    assert moved.keypoints is not None and torch.equal(moved.keypoints, batch.keypoints)


@pytest.mark.parametrize("known", [(False, False), (True, False)])
def test_without_keypoints_of_every_sample_there_are_none(known: tuple[bool, bool]) -> None:
    samples = [sample(str(index), 10, keypoints=each) for index, each in enumerate(known)]
    batch = collate(samples)
    assert batch.keypoints is None
    assert batch.to(torch.device("cpu"), torch.channels_last).keypoints is None


def tensors(batch: Batch) -> list[torch.Tensor]:
    found = [*batch.inputs.values(), batch.target, batch.skin, batch.kept]
    return found if batch.keypoints is None else [*found, batch.keypoints]


@pytest.mark.parametrize("keypoints", [True, False])
def test_some_samples_are_taken_and_put_back(keypoints: bool) -> None:
    batch, other = example_batch(4, (24, 20)), example_batch(2, (24, 20), seed=1)
    if not keypoints:
        batch, other = replace(batch, keypoints=None), replace(other, keypoints=None)
    before = [each.clone() for each in tensors(batch)]
    places = torch.tensor([3, 1])
    taken = batch.take(places)
    assert taken.names == ["example-3", "example-1"]
    assert batch.line_styles == ["skeleton", "lines", "skeleton", "lines"]
    assert (
        taken.line_styles == ["lines", "lines"]
        and replace(batch, line_styles=()).take(places).line_styles == ()
    )
    for old, new in zip(tensors(batch), tensors(taken), strict=True):
        assert torch.equal(new, old[[3, 1]])
    changed = batch.put(places, other)
    assert changed.names == batch.names and changed.line_styles == batch.line_styles
    for old, put, new in zip(before, tensors(other), tensors(changed), strict=True):
        assert torch.equal(new, torch.stack([old[0], put[1], old[2], put[0]]))
    assert all(torch.equal(old, new) for old, new in zip(before, tensors(batch), strict=True))


def test_every_tensor_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    # without a GPU there is no page-locked memory, so a copy is put in its place
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    batch = collate([sample("a", 10), sample("b", 30)])
    pinned = batch.pin_memory()
    for old, new in zip(tensors(batch), tensors(pinned), strict=True):
        assert torch.equal(old, new) and new.data_ptr() != old.data_ptr()
