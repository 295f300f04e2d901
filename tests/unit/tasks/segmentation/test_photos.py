from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from skinfw.data.classes import UNKNOWN
from skinfw.errors import DataError
from skinfw.specs.segmentation_spec import SegmentationAugmentation, SegmentationData
from skinfw.tasks.segmentation.augmentation import LabeledAugmentation
from skinfw.tasks.segmentation.photos import LabeledBatch, LabeledPhotos, collate_labeled

WritePhotos = Callable[..., list[Path]]
STILL = {
    "flip": 0,
    "scale": 0,
    "shift": 0,
    "degrees": 0,
    "brightness": 0,
    "contrast": 0,
    "saturation": 0,
    "hue": 0,
}


def photos(root: Path, **fields: Any) -> LabeledPhotos:
    return LabeledPhotos(SegmentationData.model_validate({"root": root, "size": (24, 20), **fields}))


def test_photos_are_found_at_any_depth_and_label_maps_are_none(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    write_labeled_photos(tmp_path, 2)
    write_labeled_photos(tmp_path / ".hidden", 1)
    data = photos(tmp_path)
    assert data.names() == ("id_00000000/01_1_front.png", "id_00000001/01_1_front.png")
    assert [data.group(name) for name in data.names()] == ["id_00000000", "id_00000001"]


def test_near_copies_of_a_photo_stay_on_one_side_of_the_split(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    first, _ = write_labeled_photos(tmp_path, 2, size=(96, 64))
    with Image.open(first) as image:
        image.resize((128, 192), Image.Resampling.BICUBIC).save(tmp_path / "again.jpg", quality=85)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    data = photos(tmp_path)
    groups = {name: data.group(name) for name in data.names()}
    assert groups["again.jpg"] == groups["id_00000000/01_1_front.png"]
    assert groups["again.jpg"] in ("again", "id_00000000")
    assert groups["id_00000001/01_1_front.png"] == "id_00000001"
    assert groups["broken.jpg"] == "broken"


def test_a_photo_and_its_map_are_resized_together(write_labeled_photos: WritePhotos, tmp_path: Path) -> None:
    (path,) = write_labeled_photos(tmp_path, 1, size=(48, 40))
    data = photos(tmp_path)
    loaded = data.load(data.names()[0])
    pixels = np.asarray(Image.open(path))
    assert np.array_equal(loaded.picture, cv2.resize(pixels, (20, 24), interpolation=cv2.INTER_AREA))
    full = photos(tmp_path, size=(48, 40)).load(data.names()[0])
    assert np.array_equal(full.picture, pixels)
    assert loaded.labels.shape == (24, 20)
    assert set(np.unique(loaded.labels)) <= set(np.unique(full.labels)) == {0, 1, 2, 3, 4}
    colors = np.asarray(Image.open(path.with_name("01_1_front_segment.png")))
    assert np.array_equal(full.labels == 0, (colors == 0).all(axis=2))
    assert np.array_equal(full.labels == 1, (colors == (144, 238, 144)).all(axis=2))


def test_what_was_loaded_is_kept_as_far_as_there_is_room(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    files = write_labeled_photos(tmp_path, 2, size=(512, 512))
    # a photo and its map take exactly one MiB
    data, bare = photos(tmp_path, size=(512, 512), memory=1), photos(tmp_path, memory=0)
    loaded = [data.load(name) for name in data.names()]
    bare.load(bare.names()[0])
    for file in files:
        file.unlink()
    assert data.load(data.names()[0]) is loaded[0]
    with pytest.raises(DataError, match="no such file"):
        data.load(data.names()[1])
    with pytest.raises(DataError, match="no such file"):
        bare.load(bare.names()[0])


def test_a_name_that_a_record_made_up_leads_nowhere(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    write_labeled_photos(tmp_path / "photos", 1)
    (outside,) = write_labeled_photos(tmp_path / "outside", 1)
    with pytest.raises(DataError, match="cannot hold"):
        photos(tmp_path / "photos").load(f"../outside/{outside.relative_to(tmp_path / 'outside')}")


def test_an_empty_or_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photo in it"):
        photos(tmp_path).names()
    with pytest.raises(DataError, match="no such folder"):
        photos(tmp_path / "none").names()


def test_the_first_readable_photo_tells_the_classes(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    first, _ = write_labeled_photos(tmp_path, 2)
    first.with_name("01_1_front_segment.png").unlink()
    assert len(photos(tmp_path, classes="all", on_corrupt="skip").classes.names) == 16
    with pytest.raises(DataError, match=r"label map of 01_1_front\.png is missing"):
        _ = photos(tmp_path, classes="all").classes


def test_the_fingerprint_changes_with_photo_and_map(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    (path,) = write_labeled_photos(tmp_path, 1)
    before = photos(tmp_path).fingerprint()
    assert photos(tmp_path).fingerprint() == before
    segment = path.with_name("01_1_front_segment.png")
    for changed in (path, segment):
        old = changed.read_bytes()
        changed.write_bytes(old + b"x")
        assert photos(tmp_path).fingerprint() != before
        changed.write_bytes(old)


def batch(count: int = 4) -> LabeledBatch:
    """Return pictures whose red says which label a pixel has."""
    labels = torch.zeros(count, 32, 24, dtype=torch.long)
    labels[:, 8:20, 3:9] = 1
    labels[:, 20:28, 12:22] = 2
    red = labels.float()[:, None] / 2
    return LabeledBatch([f"{index}" for index in range(count)], red.repeat(1, 3, 1, 1), labels)


def augmentation(**fields: Any) -> LabeledAugmentation:
    config = SegmentationAugmentation.model_validate({**STILL, **fields})
    return LabeledAugmentation(config, ("rest", "left", "right"))


def test_without_anything_to_do_a_batch_stays_as_it_is() -> None:
    changed = augmentation()(batch())
    assert torch.equal(changed.pictures, batch().pictures)
    assert torch.equal(changed.labels, batch().labels)


def test_a_mirror_swaps_left_and_right() -> None:
    changed = augmentation(flip=1, flip_classes=[["left", "right"]])(batch())
    swapped = torch.tensor([0, 2, 1])[batch().labels]
    assert torch.equal(changed.labels, swapped.flip(-1))
    assert torch.equal(changed.pictures, batch().pictures.flip(-1))


def test_about_the_asked_share_is_mirrored() -> None:
    torch.manual_seed(0)
    changed = augmentation(flip=0.25)(batch(400))
    mirrored = (changed.labels == batch(1).labels.flip(-1)).flatten(1).all(dim=1)
    plain = (changed.labels == batch(1).labels).flatten(1).all(dim=1)
    assert torch.equal(mirrored, ~plain)
    # a binomial's standard deviation is 8.7 here
    assert abs(int(mirrored.sum()) - 100) < 35


def test_what_moves_the_picture_moves_the_labels() -> None:
    torch.manual_seed(0)
    changed = augmentation(scale=0.3, shift=0.2, degrees=30)(batch())
    assert not torch.equal(changed.labels, batch().labels)
    assert set(changed.labels.unique().tolist()) <= {0, 1, 2}
    # away from edges, where the picture is a mixture, red still says which label a pixel has
    pure = (changed.pictures[:, 0] * 2 % 1 < 1e-3) & (changed.pictures[:, 0] != 0.5)
    assert pure.float().mean() > 0.5
    told = (changed.pictures[:, 0] * 2).round().long()
    assert (told == changed.labels)[pure].float().mean() > 0.97
    assert not torch.equal(changed.labels[0], changed.labels[1])


def test_unknown_pixels_stay_unknown() -> None:
    torch.manual_seed(0)
    unknown = LabeledBatch(["a"], torch.rand(1, 3, 16, 16), torch.full((1, 16, 16), UNKNOWN))
    changed = augmentation(flip=1, scale=0.3, shift=0.2, degrees=30)(unknown)
    assert changed.labels.unique().tolist() == [UNKNOWN]


def test_colors_change_and_labels_do_not() -> None:
    torch.manual_seed(0)
    gray = LabeledBatch(["a", "b"], torch.full((2, 3, 8, 8), 0.5), torch.zeros(2, 8, 8, dtype=torch.long))
    changed = augmentation(brightness=0.4)(gray)
    assert torch.equal(changed.labels, gray.labels)
    values = changed.pictures[:, 0, 0, 0]
    assert values[0] != values[1]
    assert ((values >= 0.3) & (values <= 0.7)).all()


def test_a_batch_keeps_names_and_types(write_labeled_photos: WritePhotos, tmp_path: Path) -> None:
    write_labeled_photos(tmp_path, 2)
    data = photos(tmp_path)
    together = collate_labeled([data.load(name) for name in data.names()])
    assert together.names == list(data.names())
    assert together.pictures.shape == (2, 3, 24, 20) and together.pictures.dtype == torch.float32
    assert together.labels.shape == (2, 24, 20) and together.labels.dtype == torch.int64
    assert together.size == (24, 20)


def test_every_tensor_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    # without a GPU there is no page-locked memory, so a copy is put in its place
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    batch = LabeledBatch(["a"], torch.rand(1, 3, 4, 6), torch.randint(5, (1, 4, 6)))
    pinned = batch.pin_memory()
    for old, new in ((batch.pictures, pinned.pictures), (batch.labels, pinned.labels)):
        assert torch.equal(old, new) and new.data_ptr() != old.data_ptr()
