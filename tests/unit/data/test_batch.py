from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data._utils.pin_memory import pin_memory

from skinfw.components.field_names import BODY, FACE, HEATMAPS, KEEP, KEYPOINTS, LINE, SKIN
from skinfw.data.batch import Batch, collate
from skinfw.data.field_types import Field
from skinfw.data.heatmaps import colored
from skinfw.data.keypoints import Keypoints
from skinfw.data.pixel_types import BODY_TYPE, KEEP_TYPE, SKIN_TYPE
from skinfw.data.pose_types import KeypointsType, PoseMapType
from skinfw.data.sample import Sample
from skinfw.testing import example_batch


def sample(name: str, value: int, *, keypoints: bool = True) -> Sample:
    image = np.full((4, 6, 3), value, np.uint8)
    fields = {
        LINE: Field(PoseMapType(), image),
        BODY: Field(BODY_TYPE, image),
        SKIN: Field(SKIN_TYPE, image[..., 0] > 20),
        KEEP: Field(KEEP_TYPE, image[..., 0] <= 20),
    }
    if keypoints:
        pose = Keypoints(np.full((25, 3), value / 100, np.float32))
        fields[KEYPOINTS] = Field(KeypointsType(), pose)
    return Sample(name, fields)


def without(batch: Batch, name: str) -> Batch:
    fields = {each: tensor for each, tensor in batch.fields.items() if each != name}
    return replace(batch, fields=fields, types={each: batch.types[each] for each in fields})


def styles(batch: Batch) -> list[str]:
    return [kind.style for kind in batch.types[LINE] if isinstance(kind, PoseMapType)]


def test_keypoints_are_put_together() -> None:
    batch = collate([sample("a", 10), sample("b", 30)])
    assert (tuple(batch[KEYPOINTS].shape), batch[KEYPOINTS].dtype) == ((2, 25, 3), torch.float32)
    assert batch[KEYPOINTS][:, 3, 1].tolist() == pytest.approx([0.1, 0.3])
    moved = batch.to(torch.device("cpu"), torch.channels_last)
    assert torch.equal(moved[KEYPOINTS], batch[KEYPOINTS])


def test_without_keypoints_there_are_none() -> None:
    batch = collate([sample(name, 10, keypoints=False) for name in "ab"])
    assert KEYPOINTS not in batch and KEYPOINTS not in batch.types
    assert KEYPOINTS not in batch.to(torch.device("cpu"), torch.channels_last)


def test_images_and_masks_are_put_together() -> None:
    batch = collate([sample("a", 10), replace(sample("b", 51), source_size=(8, 12))])
    assert len(batch) == 2 and batch.names == ["a", "b"]
    assert batch.size == (4, 6) and batch.source_sizes == [(4, 6), (8, 12)]
    assert batch[BODY].shape == (2, 3, 4, 6)
    assert batch[BODY][1].unique().tolist() == pytest.approx([0.2])
    for name, expected in ((SKIN, [0.0, 1.0]), (KEEP, [1.0, 0.0])):
        assert batch[name].shape == (2, 1, 4, 6) and batch[name].dtype == torch.float32
        assert [mask.unique().tolist() for mask in batch[name]] == [[value] for value in expected]


@pytest.mark.parametrize("keypoints", [True, False])
def test_some_samples_are_taken_and_put_back(keypoints: bool) -> None:
    batch, other = example_batch(4, (24, 20)), example_batch(2, (24, 20), seed=1)
    if not keypoints:
        batch, other = without(batch, KEYPOINTS), without(other, KEYPOINTS)
    batch = replace(batch, source_sizes=[(24 + each, 20) for each in range(4)])
    before = {name: tensor.clone() for name, tensor in batch.fields.items()}
    places = torch.tensor([3, 1])
    taken = batch.take(places)
    assert taken.names == ["example-3", "example-1"]
    assert taken.source_sizes == [(27, 20), (25, 20)]
    assert replace(batch, source_sizes=()).take(places).source_sizes == ()
    assert styles(batch) == ["skeleton", "lines", "skeleton", "lines"]
    assert styles(taken) == ["lines", "lines"]
    assert styles(batch.take(torch.tensor([2, 1]))) == ["skeleton", "lines"]
    assert taken.fields.keys() == before.keys() == taken.types.keys()
    for name, old in before.items():
        assert torch.equal(taken[name], old[[3, 1]])
    changed = batch.put(places, other)
    assert changed.names == batch.names and changed.types == batch.types
    assert changed.fields.keys() == before.keys()
    for name, old in before.items():
        put = other[name]
        assert torch.equal(changed[name], torch.stack([old[0], put[1], old[2], put[0]]))
        assert torch.equal(batch[name], old)


def test_other_tensors_for_some_fields_leave_the_batch_as_it_is() -> None:
    batch = example_batch(2, (24, 20))
    body = batch[BODY].clone()
    changed = batch.updated({BODY: 1 - body})
    assert torch.equal(changed[BODY], 1 - body) and torch.equal(batch[BODY], body)
    assert torch.equal(changed[SKIN], batch[SKIN]) and changed.types == batch.types


def test_a_region_is_a_mask_or_the_whole_image() -> None:
    batch = example_batch(2, (24, 20))
    assert batch.region("image") is None
    for region, field in (("skin", SKIN), ("face", FACE), ("mask", "mask")):
        mask = batch.region(region)
        assert mask is not None and torch.equal(mask, batch[field])


def test_every_field_with_pixels_is_shown_as_rgb() -> None:
    batch = example_batch(2, (24, 20))
    for name in set(batch.fields) - {KEYPOINTS, HEATMAPS}:
        assert torch.equal(batch.show(name), batch[name].expand(2, 3, 24, 20))
    shown = batch.show(HEATMAPS).mul(255).round().byte().movedim(1, -1).numpy()
    maps = batch[HEATMAPS].mul(255).round().byte().movedim(1, -1).numpy()
    assert shown.any() and np.array_equal(shown, colored(maps))
    with pytest.raises(ValueError, match="keypoints are not an image; show line or heatmaps"):
        batch.show(KEYPOINTS)


def test_the_loader_pins_and_the_copy_to_a_device_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch's loader does with a batch on a machine with a GPU, and what a training step does."""
    batch = example_batch(2, (24, 20))
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    pinned, errors = pin_memory((batch, []))
    assert isinstance(pinned, Batch) and errors == []
    assert all(pinned[name].data_ptr() != old.data_ptr() for name, old in batch.fields.items())
    waits: list[bool] = []
    real = torch.Tensor.to

    def to(tensor: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        waits.append(not options.get("non_blocking"))
        return real(tensor, *args, **options)

    monkeypatch.setattr(torch.Tensor, "to", to)
    pinned.to(torch.device("cpu"), torch.channels_last)
    assert waits == [False] * len(batch.fields)


def test_every_tensor_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    # without a GPU there is no page-locked memory, so a copy is put in its place
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    batch = collate([sample("a", 10), sample("b", 30)])
    pinned = batch.pin_memory()
    assert pinned.fields.keys() == batch.fields.keys()
    for name, old in batch.fields.items():
        assert torch.equal(old, pinned[name]) and pinned[name].data_ptr() != old.data_ptr()
