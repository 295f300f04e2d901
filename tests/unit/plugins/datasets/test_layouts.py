"""Published data sets in their own folders, on tiny ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import (
    SIZE,
    write_deepfashion_multimodal,
    write_dress_code,
    write_viton_hd,
)
from PIL import Image

from skinfw.assembly.build import build
from skinfw.components.field_names import APPAREL, KEYPOINTS, LINE, SKIN
from skinfw.components.reference import use
from skinfw.errors import DataError
from skinfw.interfaces import Dataset
from skinfw.testing import example_dataset_io
from skinfw_plugins.datasets.layout import read_pairs
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.pose_encoders.orders import COCO_18

IO = example_dataset_io(SIZE, (APPAREL, LINE, SKIN), needs_keypoints=True)


def opened(name: str, root: Path, **params: Any) -> Dataset[Any]:
    settings = {"root": root, "cache": root.parent / "cache", "prepare": {"num_workers": 1}, **params}
    return build(use("dataset", name, **settings), Dataset, IO)


def check_skin(dataset: Dataset[Any], name: str, seed: int) -> None:
    """The skin is what was drawn as skin: the codes were understood."""
    drawn = draw_person(seed, SIZE).labels == CLASSES.index("skin")
    sample = dataset.load(name)
    assert sample.name == name
    assert np.array_equal(sample[SKIN], drawn)


def test_viton_hd(tmp_path: Path) -> None:
    root = tmp_path / "data"
    poses = write_viton_hd(root, "train", ["00000_00", "00003_00"])
    dataset = opened("viton_hd", root)
    assert list(dataset.names()) == ["00000_00", "00003_00"]
    # a network computed the label maps that belong to the data set; a segmenter's own files are the user's
    assert dataset.mask_source("00000_00").startswith("CIHP_PGN")
    assert dataset.mask_source("00003_00") == dataset.mask_source("00000_00")
    for seed, name in enumerate(dataset.names()):
        check_skin(dataset, name, seed)
        found = dataset.load(name)[KEYPOINTS]
        assert np.allclose(found.points, poses[seed].points, atol=1e-3)


def test_both_parts_of_viton_hd_have_names_of_their_own(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["00000_00"])
    write_viton_hd(root, "test", ["00000_00"], first=5)
    dataset = opened("viton_hd", root, split="all")
    assert list(dataset.names()) == ["train/00000_00", "test/00000_00"]
    check_skin(dataset, "train/00000_00", 0)
    check_skin(dataset, "test/00000_00", 5)
    assert dataset.group("train/00000_00") != dataset.group("test/00000_00")


def test_one_photo_in_both_parts_is_in_one_group(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["00000_00", "00001_00"], first=5)
    write_viton_hd(root, "test", ["00007_00"], first=5)
    dataset = opened("viton_hd", root, split="all")
    groups = {name: dataset.group(name) for name in dataset.names()}
    assert groups["train/00000_00"] == groups["test/00007_00"] in ("train/00000_00", "test/00007_00")
    assert groups["train/00001_00"] == "train/00001_00"
    with pytest.raises(DataError, match="has no sample 'nobody'"):
        dataset.group("nobody")


def test_the_pairs_of_viton_hd_tell_which_photos_count(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "test", ["00000_00", "00001_00", "00002_00"])
    before = opened("viton_hd", root, split="test").fingerprint()
    (root / "test_pairs.txt").write_text("00002_00.jpg 00000_00.jpg\n\n", encoding="utf-8")
    dataset = opened("viton_hd", root, split="test")
    assert list(dataset.names()) == ["00002_00"]
    assert dataset.fingerprint() != before
    (root / "test_pairs.txt").unlink()
    assert len(opened("viton_hd", root, split="test").names()) == 3


def test_the_first_release_of_viton_hd_has_other_folders(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["00000_00"])
    (root / "train" / "image-parse-v3").rename(root / "train" / "image-parse")
    (root / "train" / "openpose_json").rename(root / "train" / "openpose-json")
    dataset = opened("viton_hd", root, label_maps="image-parse", poses="openpose-json")
    check_skin(dataset, "00000_00", 0)


def test_dress_code(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (pose,) = write_dress_code(root, "dresses", ["000000"])
    write_dress_code(root, "upper_body", ["000001", "000002"], first=7)
    half = [SIZE[0] // 2, SIZE[1] // 2]
    settings: dict[str, Any] = {"categories": ["dresses", "upper_body"], "points_size": half}
    dataset = opened("dress_code", root, split="all", **settings)
    # the garments, 000000_1.jpg and so on, are no people
    assert list(dataset.names()) == ["dresses/000000_0", "upper_body/000001_0", "upper_body/000002_0"]
    check_skin(dataset, "dresses/000000_0", 0)
    found = dataset.load("dresses/000000_0")[KEYPOINTS]
    for name in COCO_18:
        assert np.allclose(found.point(name), pose.point(name), atol=1e-3), name
    check_skin(dataset, "upper_body/000002_0", 8)
    (root / "dresses" / "train_pairs.txt").write_text("", encoding="utf-8")
    (root / "upper_body" / "train_pairs.txt").write_text("000002_0.jpg\t000001_1.jpg\n", encoding="utf-8")
    assert list(opened("dress_code", root, **settings).names()) == ["upper_body/000002_0"]
    for category in ("dresses", "upper_body"):
        (root / category / "test_pairs_paired.txt").write_text(
            "000001_0.jpg 000001_1.jpg\n", encoding="utf-8"
        )
    assert list(opened("dress_code", root, split="test", **settings).names()) == ["upper_body/000001_0"]


def test_deepfashion_multimodal(tmp_path: Path) -> None:
    root = tmp_path / "data"
    names = ["MEN-Denim-id_00000080-01_1_front", "WOMEN-Dresses-id_00000002-02_1_front",
             "WOMEN-Dresses-id_00000002-02_2_side"]  # fmt: skip
    poses = write_deepfashion_multimodal(root, names)
    Image.new("RGB", SIZE[::-1]).save(root / "images" / "WOMEN-Tees-id_00000003-01_1_front.jpg")
    dataset = opened("deepfashion_multimodal", root)
    assert list(dataset.names()) == names
    check_skin(dataset, names[1], 1)
    found = dataset.load(names[1])[KEYPOINTS]
    for point in ("Nose", "RWrist", "LHip", "LAnkle"):
        # the files have whole numbers
        assert np.abs(found.point(point)[:2] - poses[1].point(point)[:2]).max() <= 0.5, point
    # two photos of one person are on one side of the split
    assert [dataset.group(name) for name in names] == ["id_00000080", "id_00000002", "id_00000002"]


def test_a_segmenter_of_ones_own(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["00000_00"])
    maps = root / "train" / "image-parse-v3"
    (maps / "00000_00.png").rename(root / "train" / "image" / "00000_00_map.png")
    segmenter = {"type": "label_map", "labels": "cihp", "suffix": "_map.png"}
    check_skin(opened("viton_hd", root, segmenter=segmenter), "00000_00", 0)


@pytest.mark.parametrize(
    ("name", "params", "told"),
    [
        ("viton_hd", {}, r"data/train/image: no such folder"),
        ("dress_code", {"split": "all"}, r"data/dresses/images: no such folder"),
        ("dress_code", {}, r"data/dresses/train_pairs\.txt: cannot be read"),
        ("deepfashion_multimodal", {}, r"data/images: no such folder"),
    ],
)
def test_a_folder_that_is_none_of_these(tmp_path: Path, name: str, params: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        opened(name, tmp_path / "data", **params).names()


@pytest.mark.parametrize("missing", ["keypoints_loc.txt", "keypoints_vis.txt"])
def test_deepfashion_multimodal_without_its_keypoints(tmp_path: Path, missing: str) -> None:
    root = tmp_path / "data"
    write_deepfashion_multimodal(root, ["MEN-Denim-id_00000080-01_1_front"])
    (root / "keypoints" / missing).unlink()
    with pytest.raises(DataError, match=rf"keypoints/{missing}: no such file; .* or set pose_encoder"):
        opened("deepfashion_multimodal", root).names()


def test_deepfashion_multimodal_without_its_label_maps(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_deepfashion_multimodal(root, ["MEN-Denim-id_00000080-01_1_front"])
    (root / "segm").rename(root / "other")
    with pytest.raises(DataError, match=r"data/segm: no such folder; unpack it too, or set segmenter"):
        opened("deepfashion_multimodal", root).names()


def test_lists_that_name_no_sample(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["00000_00"])
    (root / "train_pairs.txt").write_text("00009_00.jpg 00009_00.jpg\n", encoding="utf-8")
    with pytest.raises(DataError, match="no photo in its lists became a sample"):
        opened("viton_hd", root).names()


def test_an_unknown_name(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["00000_00"])
    with pytest.raises(DataError, match="has no sample '00009_00'"):
        opened("viton_hd", root).load("00009_00")


@pytest.mark.parametrize(
    "text",
    [
        "a.b.jpg c.jpg\n",
        "\ufeffa.b.jpg\tc.jpg\r\n\r\n",
        " a.b.jpg ; c.jpg",
        "image/a.b.jpg,c d.jpg",
        "a.b.JPG  c.jpg\r",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_pairs_as_programs_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "pairs.txt").write_bytes(text.encode(encoding))
    assert read_pairs(tmp_path / "pairs.txt") == {"a.b"}


def test_names_of_pairs_match_however_letters_are_composed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "data"
    write_viton_hd(root, "train", ["e\u0301_00"])
    (root / "train_pairs.txt").write_text("\u00e9_00.jpg x.jpg\n00007_00.jpg x.jpg\n", encoding="utf-8-sig")
    assert list(opened("viton_hd", root).names()) == ["\u00e9_00"]
    assert "1 of the 2 photos in its list did not become samples" in caplog.text


def test_a_line_that_is_no_pair(tmp_path: Path) -> None:
    path = tmp_path / "train_pairs.txt"
    path.write_text("a.jpg b.jpg\na.jpg\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train_pairs\.txt: line 2: expected a photo and a garment"):
        read_pairs(path)
