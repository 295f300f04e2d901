from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hashes import random_hashes
from PIL import Image, ImageEnhance
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from skinfw.data.split import position
from skinfw.errors import DataError
from skinfw.preparation.config import NEAR_DUPLICATE
from skinfw.preparation.duplicates import SeenPhotos, join_groups, perceptual_hash, sample_groups
from skinfw_plugins.datasets.mannequin import draw_person


def bits(one: str, other: str) -> int:
    return bin(int(one, 16) ^ int(other, 16)).count("1")


def compressed(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "quality": lambda image: compressed(image, 40),
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "double": lambda image: image.resize((image.width * 2, image.height * 2)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
}


@pytest.mark.parametrize("change", COPIES)
def test_copies_are_near_and_other_people_are_not(change: str) -> None:
    images = [draw_person(seed, (256, 128)).image for seed in range(20)]
    hashes = [perceptual_hash(image) for image in images]
    copies = [perceptual_hash(np.asarray(COPIES[change](Image.fromarray(each)))) for each in images]
    for row, phash in enumerate(hashes):
        for column, copy in enumerate(copies):
            assert (bits(phash, copy) <= NEAR_DUPLICATE) == (row == column), (change, row, column)


def test_groups_are_the_single_linkage_clusters_of_scipy() -> None:
    hashes = random_hashes(400)
    table = np.array([[int(bit) for bit in f"{int(each, 16):064b}"] for each in hashes])
    expected = fcluster(linkage(pdist(table, "hamming") * 64, "single"), 4.5, "distance")
    groups = join_groups([f"photo {index}" for index in range(400)], hashes, 4)
    found = [groups[f"photo {index}"] for index in range(400)]
    assert len(set(found)) == len(set(expected)) < 350
    assert len(set(zip(found, expected, strict=True))) == len(set(found))


def test_people_and_copies_are_joined_through_each_other() -> None:
    # anna has two photos; one of them is there again under another name, and that person has a third
    keys = ["anna", "anna", "berta", "berta", "clara", "dora"]
    hashes = ["0" * 16, "f" * 16, "f" * 15 + "e", "5" * 16, None, None]
    groups = join_groups(keys, hashes, 4)
    assert groups["anna"] == groups["berta"] == max("anna", "berta", key=position)
    assert groups["clara"] == "clara" and groups["dora"] == "dora"
    assert join_groups(keys, hashes, 0)["berta"] == "berta"


def test_mirrored_copies_are_joined() -> None:
    hashes = ["f0" * 8, "0f" * 8, "1" * 16, None]
    mirrored = ["0f" * 7 + "0e", "f0" * 8, "2" * 16, None]
    groups = join_groups(["anna", "flipped", "ben", "cleo"], hashes, 4, mirrored=mirrored)
    assert groups["anna"] == groups["flipped"]
    assert len(set(groups.values())) == 3
    with pytest.raises(ValueError, match="shorter"):
        join_groups(["anna", "flipped", "ben", "cleo"], hashes, 4, mirrored=mirrored[:3])


def test_new_samples_move_none_from_training_to_test_and_no_strangers() -> None:
    hashes = random_hashes(600, seed=1)
    keys = [f"photo {index}" for index in range(600)]
    few, many = join_groups(keys[:400], hashes[:400], 4), join_groups(keys, hashes, 4)
    assert any(few[key] != many[key] for key in keys[:400])
    together = {group: {key for key in keys if many[key] == group} for group in many.values()}
    for key in keys[:400]:
        assert position(many[key]) >= position(few[key])
        if not together[many[key]] & set(keys[400:]):
            assert many[key] == few[key]
    # nor does the order count
    order = np.random.default_rng(0).permutation(600)
    assert join_groups([keys[each] for each in order], [hashes[each] for each in order], 4) == many


def test_seen_photos_find_the_first_twin() -> None:
    seen = SeenPhotos(4)
    assert seen.near_duplicate("0" * 16) is None
    rest = random_hashes(300, seed=2)
    for index, phash in enumerate(["f" * 16, "f" * 15 + "e", *rest]):
        seen.add(f"{index}.jpg", phash)
    assert seen.near_duplicate("f" * 15 + "8") == ("0.jpg", 3)
    first = next(index for index, phash in enumerate(rest) if bits(phash, rest[-1]) <= 4)
    assert seen.near_duplicate(rest[-1]) == (f"{first + 2}.jpg", bits(rest[first], rest[-1]))


def test_groups_of_sample_folders(tmp_path: Path) -> None:
    records = {
        "a": {"facts": {"phash": "0" * 16}},
        "b": {"facts": {"phash": "0" * 15 + "1", "mirrored_phash": "3c" * 8}},
        "m": {"facts": {"phash": "3c" * 7 + "3d"}},
        "c": {"facts": {"phash": "f" * 16}, "group": "family"},
        "d": {"group": "family"},
        "e": {"facts": {"phash": "no hash"}},
        "f": {"facts": {}},
        "g": None,
        "h": {"group": "shoot"},
        "H": {},
    }
    for name, record in records.items():
        (tmp_path / name).mkdir()
        if record is not None:
            (tmp_path / name / "sample.json").write_text(json.dumps(record))
    groups = sample_groups({name: tmp_path / name for name in records}, str.upper, 4)
    assert groups["a"] == groups["b"] == groups["m"] == max("A", "B", "M", key=position)
    assert {name: groups[name] for name in "cdefg"} == {
        "c": "family", "d": "family", "e": "E", "f": "F", "g": "G"
    }  # fmt: skip
    # one person in and outside a group
    assert groups["h"] == groups["H"] == max("shoot", "H", key=position)
    for damaged in ("[", '{"facts": 3}'):
        (tmp_path / "a" / "sample.json").write_text(damaged)
        with pytest.raises(DataError, match=r"sample\.json"):
            sample_groups({"a": tmp_path / "a"}, str.upper, 4)
