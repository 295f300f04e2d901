from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from skinfw.assembly.build import build
from skinfw.components.field_names import IMAGE, LABELS
from skinfw.components.reference import use
from skinfw.data.batch import Batch, collate
from skinfw.data.classes import UNKNOWN
from skinfw.data.field_types import Field
from skinfw.data.pixel_types import ImageType, LabelMapType
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import SampleCache
from skinfw.errors import DataError
from skinfw.interfaces import Augmentation, AugmentationIO
from skinfw.specs.segmentation_spec import SegmentationData
from skinfw.tasks.segmentation.photos import LabeledPhotos

WritePhotos = Callable[..., list[Path]]


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


def test_photos_that_would_share_a_label_map_are_an_error(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    for path in write_labeled_photos(tmp_path, 2):
        path.with_name("01_1_front_segment.png").rename(tmp_path / "01_1_front.png")
    labels = use("segmenter", "label_map", labels="deepfashion", folder="..")
    with pytest.raises(DataError, match="would both get the label map"):
        photos(tmp_path, labels=labels).names()


def test_a_photo_and_its_map_are_cropped_to_the_person(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    (path,) = write_labeled_photos(tmp_path, 1, size=(48, 40))
    full = photos(tmp_path, size=(48, 40)).load("id_00000000/01_1_front.png")
    rows, columns = (np.flatnonzero((full[LABELS] != 0).any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    side = int(max(height, width))  # the crop is square and has no margin
    data = photos(tmp_path, size=(side, side), person_margin=0)
    loaded = data.load("id_00000000/01_1_front.png")
    assert (loaded[LABELS] != 0).sum() == (full[LABELS] != 0).sum()
    person = np.asarray(Image.open(path))[full[LABELS] != 0]
    assert np.array_equal(loaded[IMAGE][loaded[LABELS] != 0], person)
    assert loaded.source_size == (48, 40)
    assert data.settings() != photos(tmp_path, size=(side, side)).settings()


def test_near_copies_of_a_photo_stay_on_one_side_of_the_split(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    first, _ = write_labeled_photos(tmp_path, 2, size=(96, 64))
    with Image.open(first) as image:
        image.resize((128, 192), Image.Resampling.BICUBIC).save(tmp_path / "again.jpg", quality=85)
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.jpg", quality=85)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    data = photos(tmp_path)
    groups = {name: data.group(name) for name in data.names()}
    assert groups["again.jpg"] == groups["mirrored.jpg"] == groups["id_00000000/01_1_front.png"]
    assert groups["again.jpg"] in ("again", "mirrored", "id_00000000")
    assert groups["id_00000001/01_1_front.png"] == "id_00000001"
    assert groups["broken.jpg"] == "broken"


def test_a_photo_and_its_map_are_resized_together(write_labeled_photos: WritePhotos, tmp_path: Path) -> None:
    (path,) = write_labeled_photos(tmp_path, 1, size=(48, 40))
    data = photos(tmp_path)
    loaded = data.load(data.names()[0])
    pixels = np.asarray(Image.open(path))
    assert np.array_equal(loaded[IMAGE], cv2.resize(pixels, (20, 24), interpolation=cv2.INTER_AREA))
    full = photos(tmp_path, size=(48, 40)).load(data.names()[0])
    assert np.array_equal(full[IMAGE], pixels)
    assert loaded[LABELS].shape == (24, 20)
    assert loaded.source_size == (48, 40)
    assert set(np.unique(loaded[LABELS])) <= set(np.unique(full[LABELS])) == {0, 1, 2, 3, 4}
    colors = np.asarray(Image.open(path.with_name("01_1_front_segment.png")))
    assert np.array_equal(full[LABELS] == 0, (colors == 0).all(axis=2))
    assert np.array_equal(full[LABELS] == 1, (colors == (144, 238, 144)).all(axis=2))


def test_cached_photos_are_those_that_are_loaded(
    write_labeled_photos: WritePhotos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    (first, second) = write_labeled_photos(tmp_path / "photos", 2)
    with Image.open(second) as image:
        colors = image.convert("RGB")
    loaded: list[str] = []
    load = LabeledPhotos.load

    def count(self: LabeledPhotos, name: str) -> Sample:
        loaded.append(name)
        return load(self, name)

    monkeypatch.setattr(LabeledPhotos, "load", count)

    def both(**fields: Any) -> list[str]:
        """Return which of the two photos are loaded; compare them with the data set itself."""
        data = photos(tmp_path / "photos", **fields)
        source = SampleCache(100, data).reading(data)
        loaded.clear()
        found = [source.load(name) for name in data.names()]
        which = [name[:11] for name in loaded]
        for sample in found:
            direct = load(photos(tmp_path / "photos", **fields), sample.name)
            assert sample.source_size == direct.source_size
            for name, field in direct.fields.items():
                assert sample.fields[name].type == field.type
                assert np.array_equal(sample[name], field.value) and sample[name].dtype == field.value.dtype
        return which

    everything, first_only = ["id_00000000", "id_00000001"], ["id_00000000"]
    assert both() == everything
    assert both() == first_only  # for its types
    assert both(size=(20, 20)) == both(classes="all") == everything
    colors.rotate(180).save(second)
    assert both() == everything
    second.with_name("01_1_front_segment.png").write_bytes(
        first.with_name("01_1_front_segment.png").read_bytes()
    )
    assert both() == everything
    assert both() == first_only


def test_photos_and_label_maps_that_change_after_the_start_are_noticed(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    write_labeled_photos(tmp_path / "photos", 2)
    data = photos(tmp_path / "photos")
    data.fingerprint()
    one, other = data.names()
    assert data.unchanged(one) and data.unchanged(other)
    labels = (tmp_path / "photos" / other).with_name("01_1_front_segment.png")
    labels.write_bytes(labels.read_bytes())
    assert data.unchanged(one) and not data.unchanged(other)


def test_a_name_that_a_record_made_up_leads_nowhere(
    write_labeled_photos: WritePhotos, tmp_path: Path
) -> None:
    write_labeled_photos(tmp_path / "photos", 1)
    (outside,) = write_labeled_photos(tmp_path / "outside", 1)
    with pytest.raises(DataError, match="cannot hold"):
        photos(tmp_path / "photos").load(f"../outside/{outside.relative_to(tmp_path / 'outside')}")


def test_an_empty_or_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photos in it"):
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


def together(images: torch.Tensor, labels: torch.Tensor) -> Batch:
    """Return photos ``(B, 3, H, W)`` with label maps, whose mirror image exchanges the labels 1 and 2."""
    flipped = (0, 2, 1, *range(3, UNKNOWN + 1))
    samples = [
        Sample(
            str(index),
            {
                IMAGE: Field(ImageType(fill=None), image.movedim(0, -1).mul(255).round().byte().numpy()),
                LABELS: Field(LabelMapType(3, flipped), each.byte().numpy()),
            },
        )
        for index, (image, each) in enumerate(zip(images, labels, strict=True))
    ]
    return collate(samples)


def batch(count: int = 4) -> Batch:
    """Return images whose red says which label a pixel has."""
    labels = torch.zeros(count, 32, 24, dtype=torch.long)
    labels[:, 8:20, 3:9] = 1
    labels[:, 20:28, 12:22] = 2
    red = labels.float()[:, None] * 0.4
    return together(red.repeat(1, 3, 1, 1), labels)


def augmentation(name: str, **params: Any) -> Augmentation[Any]:
    return build(use("augmentation", name, **params), Augmentation, AugmentationIO((32, 24)))


def test_a_mirror_swaps_left_and_right() -> None:
    changed = augmentation("flip", probability=1)(batch())
    swapped = torch.tensor([0, 2, 1])[batch()[LABELS]]
    assert torch.equal(changed[LABELS], swapped.flip(-1))
    assert torch.equal(changed[IMAGE], batch()[IMAGE].flip(-1))


@pytest.mark.parametrize(("pairs", "swapped"), [([], [1, 2, 3]), ([["skin", "feet"]], [3, 2, 1])])
def test_classes_that_a_mirror_image_exchanges_are_named_in_the_data(
    write_labeled_photos: WritePhotos, tmp_path: Path, pairs: list[list[str]], swapped: list[int]
) -> None:
    write_labeled_photos(tmp_path, 1)
    data = photos(tmp_path, flip_classes=pairs)
    plain = collate([data.load(name) for name in data.names()])
    changed = augmentation("flip", probability=1)(plain)
    # background, skin, head, feet, apparel
    expected = torch.tensor([0, *swapped, 4])[plain[LABELS]].flip(-1)
    assert torch.equal(changed[LABELS], expected)


def test_about_the_asked_share_is_mirrored() -> None:
    torch.manual_seed(0)
    changed = augmentation("flip", probability=0.25)(batch(400))
    swapped = torch.tensor([0, 2, 1])[batch(1)[LABELS]].flip(-1)
    mirrored = (changed[LABELS] == swapped).flatten(1).all(dim=1)
    plain = (changed[LABELS] == batch(1)[LABELS]).flatten(1).all(dim=1)
    assert torch.equal(mirrored, ~plain)
    # a binomial's standard deviation is 8.7 here
    assert abs(int(mirrored.sum()) - 100) < 35


def test_what_moves_the_image_moves_the_labels() -> None:
    torch.manual_seed(0)
    move = augmentation("affine", scale=[0.7, 1.3], fraction=0.2, degrees=30, shear=0)
    changed = move(batch())
    assert not torch.equal(changed[LABELS], batch()[LABELS])
    assert set(changed[LABELS].unique().tolist()) <= {0, 1, 2}
    # away from edges, where the image is a mixture, red still says which label a pixel has
    told = changed[IMAGE][:, 0] / 0.4
    pure = (told - told.round()).abs() < 1e-3
    assert pure.float().mean() > 0.5
    assert (told.round().long() == changed[LABELS])[pure].float().mean() > 0.97
    assert not torch.equal(changed[LABELS][0], changed[LABELS][1])


def test_beyond_the_border_its_edge_is_repeated_in_photo_and_label_map() -> None:
    torch.manual_seed(0)
    labels = torch.full((4, 32, 24), 2)
    gray = together(torch.full((4, 3, 32, 24), 0.8), labels)
    changed = augmentation("affine", scale=[0.5, 0.6], fraction=0.2)(gray)
    assert torch.equal(changed[LABELS], labels)
    assert torch.allclose(changed[IMAGE], gray[IMAGE], atol=1e-5)


def test_unknown_pixels_stay_unknown() -> None:
    torch.manual_seed(0)
    changed = together(torch.rand(1, 3, 16, 16), torch.full((1, 16, 16), UNKNOWN))
    for each in (augmentation("flip", probability=1), augmentation("affine", fraction=0.2, degrees=30)):
        changed = each(changed)
    assert changed[LABELS].unique().tolist() == [UNKNOWN]


def test_colors_change_everywhere_and_labels_do_not() -> None:
    torch.manual_seed(0)
    gray = together(torch.full((2, 3, 8, 8), 0.5), torch.zeros(2, 8, 8, dtype=torch.long))
    changed = augmentation("brightness", factor=[0.6, 1.4])(gray)
    assert torch.equal(changed[LABELS], gray[LABELS])
    values = changed[IMAGE][:, :1, :1, :1]
    assert torch.equal(changed[IMAGE], values.expand(-1, 3, 8, 8))
    assert values[0] != values[1]
    assert ((values >= 0.3) & (values <= 0.71)).all()


def test_a_batch_keeps_names_and_types(write_labeled_photos: WritePhotos, tmp_path: Path) -> None:
    write_labeled_photos(tmp_path, 2)
    data = photos(tmp_path)
    batch = collate([data.load(name) for name in data.names()])
    assert batch.names == list(data.names())
    assert batch[IMAGE].shape == (2, 3, 24, 20) and batch[IMAGE].dtype == torch.float32
    assert batch[LABELS].shape == (2, 24, 20) and batch[LABELS].dtype == torch.int64
    assert batch.size == (24, 20)
