from __future__ import annotations

import errno
import gc
import hashlib
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from skinfw.components.field_names import APPAREL, BODY, FACE, KEEP, KEYPOINTS, LINE, MASK, SKIN
from skinfw.components.reference import use
from skinfw.data.batch import collate
from skinfw.data.sample_cache import SampleCache
from skinfw.errors import DataError
from skinfw.inference.composite import composite, composite_mask
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.testing import check_dataset, example_dataset_io
from skinfw_plugins.datasets.config import FolderConfig
from skinfw_plugins.datasets.folder import FolderDataset

PhotoWriter = Callable[..., Path]
SampleWriter = Callable[..., Path]


def dataset(
    root: Path, *inputs: str, size: tuple[int, int] = (32, 24), needs_keypoints: bool = False
) -> FolderDataset:
    io = example_dataset_io(size, inputs or (APPAREL,), needs_keypoints=needs_keypoints)
    return FolderDataset(FolderConfig(root=root), io)


@pytest.fixture
def people(tmp_path: Path, write_sample: SampleWriter) -> Path:
    for index, name in enumerate(("b", "a", "women/c")):
        write_sample(tmp_path / "people" / name, index)
    return tmp_path / "people"


def test_samples_with_a_record_say_what_computed_their_masks(people: Path) -> None:
    record = {"made_with": {"segmenter": {"type": "skin_color"}}}
    (people / "women" / "c" / "sample.json").write_text(json.dumps(record), encoding="utf-8")
    data = dataset(people)
    assert {name: data.mask_source(name) for name in data.names()} == {
        "a": "",
        "b": "",
        "women/c": "skin_color",
    }


def test_names_are_sorted_paths_below_the_root(people: Path) -> None:
    assert list(dataset(people).names()) == ["a", "b", "women/c"]


def test_names_do_not_depend_on_other_samples(people: Path, write_sample: SampleWriter) -> None:
    write_sample(people / "women" / "a")
    assert set(dataset(people).names()) == {"a", "b", "women/c", "women/a"}


def test_a_glob(people: Path, write_sample: SampleWriter) -> None:
    write_sample(people / "men" / "c")
    root = people.parent / "pe*" / "*"
    # several folders may hold a person of one name: the name is the path below the fixed part
    expected = [f"people/{name}" for name in ("a", "b", "men/c", "women/c")]
    assert list(dataset(root).names()) == expected
    assert list(dataset(people / "**").names()) == ["a", "b", "men/c", "women/c"]
    assert dataset(root).load("people/men/c").name == "people/men/c"
    assert list(dataset(people / "wo*").names()) == ["women/c"]


def test_a_folder_whose_name_looks_like_a_glob(tmp_path: Path, write_sample: SampleWriter) -> None:
    write_sample(tmp_path / "set [1]" / "anna")
    assert list(dataset(tmp_path / "set [1]").names()) == ["anna"]


def test_a_sample_folder_as_root(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(dataset(people / "a").names()) == ["a"]
    monkeypatch.chdir(people / "a")
    assert list(dataset(Path()).names()) == ["a"]
    assert dataset(Path()).load("a").name == "a"


def test_links_are_followed_but_not_in_circles(people: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "x").symlink_to(people / "a")
    (tmp_path / "linked" / "loop").symlink_to(tmp_path / "linked")
    assert list(dataset(tmp_path / "linked").names()) == ["x"]


def test_a_web_of_links_ends(people: Path, caplog: pytest.LogCaptureFixture) -> None:
    folders = [people / f"web{number}" for number in range(12)]
    for folder in folders:
        folder.mkdir()
    for folder in folders:
        for other in folders:
            (folder / f"to_{other.name}").symlink_to(other)
        (folder / "above").symlink_to(people)
        (folder / "everything").symlink_to("/")
        os.mkfifo(folder / "apparel_head_foot.png")
    assert list(dataset(people).names()) == ["a", "b", "women/c"]
    assert "and 179 more" in caplog.text


def test_a_prepared_sample_that_lost_its_input_is_named(
    people: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("x", "y"):
        (people / name).mkdir()
        (people / name / "sample.json").write_text("{}")
    assert list(dataset(people).names()) == ["a", "b", "women/c"]
    (text,) = caplog.messages
    assert text.startswith(f"skipping {people}/") and ", and 1 more: prepared, but without apparel" in text


def test_a_link_never_changes_a_name(people: Path) -> None:
    (people / "0").symlink_to(people / "women")
    assert list(dataset(people).names()) == ["a", "b", "women/c"]


def test_a_sample_below_another_one_counts_too(people: Path) -> None:
    shutil.copytree(people / "b", people / "a" / "detail")
    assert list(dataset(people).names()) == ["a", "a/detail", "b", "women/c"]
    assert list(dataset(people / "a").names()) == ["a", "a/detail"]


def test_a_pattern_that_leads_out_is_refused(people: Path) -> None:
    with pytest.raises(DataError, match=r"'\.\.' after a wildcard"):
        dataset(people / "w*" / ".." / ".." / "x").names()


def test_hidden_folders_are_work_in_progress(people: Path) -> None:
    shutil.copytree(people / "a", people / ".a.unfinished")
    assert list(dataset(people).names()) == ["a", "b", "women/c"]


def test_samples_have_the_asked_size_and_inputs(people: Path) -> None:
    data = dataset(people, SKIN, APPAREL, LINE, FACE, size=(20, 30))
    for name in data.names():
        sample = data.load(name)
        assert sample.name == name
        assert set(sample.fields) == {APPAREL, BODY, KEEP, MASK, SKIN, LINE, FACE}
        assert {sample[each].shape for each in (APPAREL, BODY, LINE)} == {(20, 30, 3)}
        assert {sample[each].shape for each in (KEEP, MASK, SKIN, FACE)} == {(20, 30)}
        assert sample[SKIN].any()


def test_skin_that_is_needed(people: Path) -> None:
    (people / "b" / "segmentation_skin.png").unlink()
    assert not dataset(people).load("b")[SKIN].any()
    with pytest.raises(DataError, match="b: segmentation_skin is missing"):
        dataset(people, SKIN).load("b")


def test_a_margin_around_the_skin_of_samples_without_a_mask(people: Path) -> None:
    config = FolderConfig(root=people)
    narrow, wide = (
        FolderDataset(config, example_dataset_io((64, 48), (APPAREL,), mask_margin=margin)).load("a")
        for margin in (0, 3)
    )
    assert np.array_equal(narrow[MASK], narrow[SKIN])
    assert wide[MASK].sum() > narrow[MASK].sum() and not (narrow[MASK] & ~wide[MASK]).any()
    assert not (wide[MASK] & wide[KEEP]).any()


def test_one_corrupt_image_among_good_ones(people: Path) -> None:
    (people / "b" / "body.png").write_bytes(b"no image")
    data = dataset(people)
    assert data.load("a").name == "a" and data.load("women/c").name == "women/c"
    with pytest.raises(DataError, match=r"b/body\.png: cannot be read"):
        data.load("b")


def test_unusable_roots(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        dataset(tmp_path / "nowhere").names()
    with pytest.raises(DataError, match="no folder matches this pattern"):
        dataset(tmp_path / "no*").names()
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    with pytest.raises(DataError, match=r"empty: it contains no sample; .*skinfw prepare"):
        dataset(tmp_path / "empty").names()


def test_an_unreadable_folder(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def reject(path: Any) -> Any:
        if str(path).endswith("women"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", reject)
    with pytest.raises(DataError, match="women: the folder cannot be read: Permission denied"):
        dataset(people).names()


@pytest.mark.parametrize("name", ["../people/anna", "/etc", "anna/../berta", ""])
def test_a_name_that_a_record_made_up_leads_nowhere(people: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot hold"):
        dataset(people).load(name)


def test_an_unknown_name(people: Path) -> None:
    with pytest.raises(DataError, match="zoe: no such sample folder"):
        dataset(people).load("zoe")


def test_fingerprint_is_of_the_contents(people: Path, tmp_path: Path, write_sample: SampleWriter) -> None:
    before = dataset(people).fingerprint()
    shutil.copytree(people, tmp_path / "moved")
    for path in (tmp_path / "moved").rglob("*"):
        os.utime(path, (5, 5))
    assert dataset(tmp_path / "moved").fingerprint() == before
    write_sample(people / "d")
    longer = dataset(people).fingerprint()
    shutil.rmtree(people / "d")
    (people / "a").rename(people / "anna")
    renamed = dataset(people).fingerprint()
    (people / "anna").rename(people / "a")
    (people / "a" / "body.png").write_bytes(b"other")
    assert len({before, longer, renamed, dataset(people).fingerprint()}) == 4


@pytest.mark.parametrize("recorded", [False, True])
def test_fingerprint_sees_a_change_that_keeps_length_and_time(people: Path, recorded: bool) -> None:
    path = next(people.rglob("body.png"))
    if recorded:
        hashes = {"body.png": hashlib.sha256(path.read_bytes()).hexdigest()}
        (path.parent / "sample.json").write_text(json.dumps({"files": hashes}), encoding="utf-8")
    before, state = dataset(people).fingerprint(), path.stat()
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_size == state.st_size
    assert dataset(people).fingerprint() != before


def test_a_photo_that_is_edited_after_the_start_and_restored_does_not_stay_in_the_cache(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    file = people / "a" / "body.png"
    original, right = file.read_bytes(), dataset(people).load("a")[BODY]

    def start() -> Any:
        data = dataset(people)
        return SampleCache(100, data).reading(data)

    samples = start()
    file.write_bytes((people / "b" / "body.png").read_bytes())
    assert not np.array_equal(samples.load("a")[BODY], right)
    file.write_bytes(original)
    samples = start()
    samples.load("b")  # the first one is never read from the cache
    assert np.array_equal(samples.load("a")[BODY], right)


def test_fingerprint_is_of_what_samples_are_read_by(people: Path) -> None:
    path = next(people.rglob("body.png")).parent / "sample.json"
    record = {"classes": ["background"], "group": "anna", "made_with": {"skinfw": "1", "margin": "/one"}}
    prints = []
    for changed in (
        {},
        {"made_with": {"skinfw": "2", "margin": "/two"}},
        {"group": "berta"},
        {"classes": []},
    ):
        path.write_text(json.dumps({**record, **changed}), encoding="utf-8")
        prints.append(dataset(people).fingerprint())
    assert prints[0] == prints[1] and len(set(prints)) == 3


def test_samples_prepared_twice_have_one_fingerprint(tmp_path: Path, write_photo: PhotoWriter) -> None:
    write_photo(tmp_path / "photos" / "01_1_front.png")
    components = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    prints = []
    for turn in ("one", "two"):
        prepare(tmp_path / "photos", tmp_path / turn, *components, PrepareConfig(num_workers=1))
        prints.append(dataset(tmp_path / turn).fingerprint())
    assert prints[0] == prints[1]
    body = tmp_path / "two" / "01_1_front" / "body.png"
    body.write_bytes(body.read_bytes()[:-1] + b"?")
    assert dataset(tmp_path / "two").fingerprint() != prints[0]


@pytest.mark.parametrize("size", [(96, 64), (40, 33), (64, 64)])
def test_a_perfect_inpainter_is_perfect_after_the_composite(
    tmp_path: Path, write_photo: PhotoWriter, size: tuple[int, int]
) -> None:
    for index in range(3):
        write_photo(tmp_path / "photos" / f"{index}.png", index)
    components = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    prepare(tmp_path / "photos", tmp_path / "out", *components, PrepareConfig(num_workers=1))
    data = dataset(tmp_path / "out", SKIN, size=size)
    batch = collate([data.load(name) for name in data.names()])
    body = batch[BODY]
    protected, on_mask, on_skin = (
        composite(body, batch[APPAREL], composite_mask(mode, batch)) for mode in ("protect", "mask", "skin")
    )
    assert torch.equal(protected, body)
    assert torch.equal(on_mask, body)
    # under "skin" it is wrong on what was erased around the skin, which "mask" is for
    wrong = on_skin != body
    assert (wrong & (batch[MASK] > 0.5)).any() and not (wrong & (batch[KEEP] > 0.5)).any()


def test_a_deepfashion_id_is_one_group(people: Path) -> None:
    data = dataset(people)
    assert [data.group(name) for name in data.names()] == ["a", "b", "women/c"]
    for name in ("WOMEN/Dresses/id_00000002/01_1_front", "id_00000002/02_1_back", "x/id_00000002"):
        assert data.group(name) == "id_00000002"
    for name in ("id_0000002/01_1_front", "id_000000021/a", "id_00000002b"):
        assert data.group(name) == name


def peak_memory(root: Path) -> int:
    """Return the bytes that one pass over a data set adds at most, beyond its first sample."""
    data = dataset(root, APPAREL, SKIN)
    names = data.names()
    data.load(names[0])
    gc.collect()
    tracemalloc.start()
    try:
        for name in names:
            data.load(name)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_samples(tmp_path: Path, write_sample: SampleWriter) -> None:
    source = write_sample(tmp_path / "source")
    for count in (5, 100):
        for index in range(count):
            folder = tmp_path / str(count) / f"{index:03d}"
            folder.mkdir(parents=True)
            for path in source.iterdir():
                os.link(path, folder / path.name)
    few, many = peak_memory(tmp_path / "5"), peak_memory(tmp_path / "100")
    # a sample is two images and three masks of 32x24; ninety-five more of them would be 650 kB
    assert many < few + 100_000


def test_needs_keypoints(people: Path) -> None:
    inputs = (APPAREL, LINE, SKIN)
    check_dataset(FolderDataset, FolderConfig(root=people), (32, 24), inputs, needs_keypoints=True)
    (people / "b" / "keypoints.json").unlink()
    assert KEYPOINTS not in dataset(people).load("b")
    with pytest.raises(DataError, match=r"b: keypoints\.json is missing or empty"):
        dataset(people, needs_keypoints=True).load("b")


def test_copies_of_a_photo_are_one_group(tmp_path: Path, write_photo: Callable[..., Path]) -> None:
    for name, seed in (("a", 0), ("b", 1), ("c", 0), ("id_00000001/d", 2), ("id_00000001/e", 1)):
        write_photo(tmp_path / "photos" / f"{name}.png", seed)
    components = (use("segmenter", "deepfashion"), use("pose_encoder", "openpose"))
    prepare(tmp_path / "photos", tmp_path / "out", *components, PrepareConfig(num_workers=1))
    data = dataset(tmp_path / "out")
    groups = {name: data.group(name) for name in data.names()}
    assert groups["a"] == groups["c"]
    assert groups["b"] == groups["id_00000001/d"] == groups["id_00000001/e"]
    assert len(set(groups.values())) == 2
