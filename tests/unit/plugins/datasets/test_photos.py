from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from real_files import needs_weights

from skinfw.components.field_names import APPAREL, BODY, FACE, KEEP, LINE, MASK, SKIN
from skinfw.data.split import Split, position, split_names
from skinfw.errors import DataError
from skinfw.preparation.report import PrepareReport
from skinfw.specs.spec import parse_spec
from skinfw.testing import check_dataset, example_dataset_io
from skinfw_plugins.datasets import photos as photos_module
from skinfw_plugins.datasets.config import PhotosConfig
from skinfw_plugins.datasets.photos import PhotosDataset, default_cache
from skinfw_plugins.pose_encoders.bodypix import BodyPixPoseEncoder
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter

PhotoWriter = Callable[..., Path]
INPUTS = (APPAREL, LINE, SKIN, FACE)
IO = example_dataset_io((48, 24), INPUTS)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path: Path, write_photo: PhotoWriter) -> Path:
    for index in range(3):
        write_photo(tmp_path / "photos" / f"id_{index}" / "01_1_front.png", index)
    return tmp_path / "photos"


def config(root: Path, **settings: Any) -> PhotosConfig:
    return PhotosConfig.model_validate({"root": root, "prepare": {"num_workers": 1}, **settings})


@pytest.mark.parametrize(
    ("segmenter", "source"),
    [("deepfashion", ""), pytest.param("skin_color", "skin_color", marks=needs_weights)],
)
def test_computed_masks_are_distinguished_from_those_of_files(
    photos: Path, segmenter: str, source: str
) -> None:
    prepare = {"num_workers": 1, "on_error": "skip"}
    data = PhotosDataset(config(photos, segmenter=segmenter, prepare=prepare), IO)
    assert {data.mask_source(name) for name in data.names()} == {source}


def test_photos_are_prepared_into_the_cache(photos: Path, tmp_path: Path) -> None:
    data = PhotosDataset(config(photos), IO)
    assert not (tmp_path / "cache").exists()
    assert list(data.names()) == [f"id_{index}/01_1_front" for index in range(3)]
    sample = data.load("id_0/01_1_front")
    assert set(sample.fields) == {*INPUTS, BODY, KEEP, MASK}
    assert all(sample[name].any() for name in sample.fields)
    # what was erased is the skin and some pixels around it
    assert not (sample[SKIN] & ~sample[MASK]).any() and (sample[MASK] & ~sample[SKIN]).any()
    assert [path.parent for path in (tmp_path / "cache" / "prepared").iterdir()]


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[PrepareReport]:
    """Collect what became of the photos each time that they are prepared."""
    found: list[PrepareReport] = []
    original = photos_module.prepare

    def collecting(*args: Any, **others: Any) -> PrepareReport:
        found.append(original(*args, **others))
        return found[-1]

    monkeypatch.setattr(photos_module, "prepare", collecting)
    return found


def test_a_process_prepares_them_once(photos: Path, reports: list[PrepareReport]) -> None:
    first = PhotosDataset(config(photos), IO)
    prints = first.fingerprint()
    others = example_dataset_io((24, 24), (APPAREL,))
    for again in (PhotosDataset(config(photos), IO), PhotosDataset(config(photos), others)):
        assert again.fingerprint() == prints and again.names() == first.names()
        again.load("id_1/01_1_front")
    assert [report.count("made") for report in reports] == [3]


def test_another_process_keeps_what_is_there(
    photos: Path, reports: list[PrepareReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = PhotosDataset(config(photos), IO).fingerprint()
    monkeypatch.setattr(photos_module, "_prepared", {})
    assert PhotosDataset(config(photos), IO).fingerprint() == prints
    assert [report.count("kept") for report in reports] == [0, 3]


def test_a_cache_inside_the_root_is_no_change(photos: Path, reports: list[PrepareReport]) -> None:
    for _ in range(2):
        PhotosDataset(config(photos, cache=photos / "cache"), IO).names()
    assert len(reports) == 1


def test_results_among_the_photos_are_no_change(photos: Path, reports: list[PrepareReport]) -> None:
    names = PhotosDataset(config(photos), IO).names()
    run = photos / "runs" / "first"
    (run / "samples").mkdir(parents=True)
    shutil.copy(photos / "id_0" / "01_1_front.png", run / "samples" / "target.png")
    for name in ("spec.json", "environment.json"):
        (run / name).write_text("{}", "utf-8")
    (photos / "log.txt").write_text("a line", "utf-8")
    (photos / "painted").mkdir()
    shutil.copy(photos / "id_0" / "01_1_front.png", photos / "painted" / "a.png")
    (photos / "painted" / "painted.jsonl").write_text('{"output": "a.png"}\n', "utf-8")
    assert PhotosDataset(config(photos), IO).names() == names and len(reports) == 1
    (photos / "id_1" / "01_1_front.png").unlink()
    assert list(PhotosDataset(config(photos), IO).names()) == [names[0], names[2]]


def test_a_lost_cache_is_made_again(photos: Path, tmp_path: Path) -> None:
    PhotosDataset(config(photos), IO).names()
    shutil.rmtree(tmp_path / "cache")
    PhotosDataset(config(photos), IO).load("id_1/01_1_front")


def test_photos_that_come_and_go(photos: Path, write_photo: PhotoWriter) -> None:
    before = PhotosDataset(config(photos), IO)
    prints = before.fingerprint()
    shutil.rmtree(photos / "id_1")
    fewer = PhotosDataset(config(photos), IO)
    # the sample still lies in the cache
    assert list(fewer.names()) == ["id_0/01_1_front", "id_2/01_1_front"]
    assert fewer.fingerprint() != prints
    write_photo(photos / "id_3" / "01_1_front.png", 3)
    assert "id_3/01_1_front" in PhotosDataset(config(photos), IO).names()


def test_a_pose_that_changes_outside_the_folder_of_photos_is_noticed(
    photos: Path, tmp_path: Path, reports: list[PrepareReport]
) -> None:
    poses = tmp_path / "poses"
    for file in photos.rglob("*_keypoints.json"):
        (poses / file.relative_to(photos)).parent.mkdir(parents=True)
        file.rename(poses / file.relative_to(photos))
    settings = {"pose_encoder": {"type": "openpose", "folder": str(poses)}}
    before = PhotosDataset(config(photos, **settings), IO).sample_fingerprints()
    (poses / "another_keypoints.json").write_text("{}", "utf-8")  # belongs to no photo
    assert PhotosDataset(config(photos, **settings), IO).sample_fingerprints() == before
    assert len(reports) == 1
    pose = poses / "id_1" / "01_1_front_keypoints.json"
    content = json.loads(pose.read_text(encoding="utf-8"))
    points = content["people"][0]["pose_keypoints_2d"]
    content["people"][0]["pose_keypoints_2d"] = [*points[:-3], points[-3] + 5, *points[-2:]]
    pose.write_text(json.dumps(content), encoding="utf-8")
    after = PhotosDataset(config(photos, **settings), IO).sample_fingerprints()
    assert [name for name in before if after[name] != before[name]] == ["id_1/01_1_front"]


def test_a_label_map_that_changes_outside_the_folder_of_photos_is_noticed(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "maps").mkdir()
    for file in (photos / "id_0").glob("*_segment.png"):
        file.rename(tmp_path / "maps" / file.name)
    maps = {"type": "label_map", "labels": "deepfashion", "folder": "../../maps", "suffix": "_segment.png"}
    before = PhotosDataset(config(photos / "id_0", segmenter=maps), IO).sample_fingerprints()
    labels = tmp_path / "maps" / "01_1_front_segment.png"
    with Image.open(labels) as image:
        changed = np.array(image.convert("RGB"))
    changed[:4, :4] = (255, 250, 250)
    Image.fromarray(changed).save(labels)
    assert PhotosDataset(config(photos / "id_0", segmenter=maps), IO).sample_fingerprints() != before


def test_other_weights_are_noticed(
    photos: Path, reports: list[PrepareReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = ["first"]
    monkeypatch.setattr(DeepfashionSegmenter, "fingerprint", lambda _: prints[0])
    for prints[0] in ("first", "first", "second"):
        PhotosDataset(config(photos), IO).names()
    assert [report.count("made") for report in reports] == [3, 3]


def test_other_weights_are_noticed_with_which_no_pose_was_found(
    photos: Path, reports: list[PrepareReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    next(photos.rglob("*_keypoints.json")).unlink()
    prints = ["first"]

    def fail(*_: Any) -> Any:
        raise DataError("damaged weights")

    monkeypatch.setattr(BodyPixPoseEncoder, "fingerprint", lambda _: prints[0])
    monkeypatch.setattr(BodyPixPoseEncoder, "people", fail)
    for prints[0] in ("first", "first", "second"):
        assert len(PhotosDataset(config(photos, missing_poses="bodypix"), IO).names()) == 2
    assert [report.count("rejected") for report in reports] == [1, 1]


def test_weights_that_no_photo_needs_may_be_missing(
    photos: Path, tmp_path: Path, reports: list[PrepareReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"missing_label_maps": "bodypix", "missing_poses": "bodypix"}
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "none"))
    for _ in range(2):
        assert len(PhotosDataset(config(photos, **settings), IO).names()) == 3
    assert len(reports) == 1


def test_what_the_filters_leave_out_is_gone(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (photos / "id_1" / "01_1_front.png").rename(photos / "id_1" / "01_1_back.png")
    for suffix in ("_segment.png", "_keypoints.json"):
        (photos / "id_1" / f"01_1_front{suffix}").rename(photos / "id_1" / f"01_1_back{suffix}")
    both = {"num_workers": 1, "views": ["front", "back"]}
    cache = tmp_path / "mine"
    assert len(PhotosDataset(config(photos, cache=cache, prepare=both), IO).names()) == 3
    with caplog.at_level("INFO", "skinfw"):
        assert list(PhotosDataset(config(photos, cache=cache), IO).names()) == [
            "id_0/01_1_front",
            "id_2/01_1_front",
        ]
    assert caplog.messages[-1].endswith(f"(other view: 1); which and why: {cache / 'rejected.csv'}")
    assert "id_1/01_1_back" in (cache / "rejected.csv").read_text("utf-8")


def test_it_says_what_it_does(
    photos: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos_module, "SECONDS_BETWEEN_MESSAGES", 0)
    with caplog.at_level("INFO", "skinfw"):
        PhotosDataset(config(photos), IO).names()
        PhotosDataset(config(photos), IO).names()
    assert caplog.messages == [
        f"preparing the photos under {photos} into {default_cache(config(photos))}",
        *(f"prepared {count} of 3 photos" for count in (1, 2, 3)),
        "prepared: 3 made, 0 kept, 0 rejected",
    ]


def test_photos_of_one_id_are_never_split(photos: Path) -> None:
    group = PhotosDataset(config(photos), IO).group
    names = [f"WOMEN/id_{person:08d}/{photo:02d}_1_front" for person in range(50) for photo in (1, 2)]

    def people(split: Split) -> int:
        return sum(
            len({group(name) for name in side}) for side in (split.train, split.validation, split.test)
        )

    assert people(split_names(names, 0.3, 0.2, group)) == 50
    # by their names alone some people are on two sides
    assert people(split_names(names, 0.3, 0.2)) > 50


def test_the_cache_goes_by_root_and_settings(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "others")
    different = [
        config(photos),
        config(tmp_path / "others"),
        config(photos, prepare={"margin": 9}),
        config(photos, segmenter={"type": "deepfashion", "palette": "mmfashion"}),
        config(photos, pose_encoder={"type": "openpose", "suffix": ".json"}),
    ]
    assert len({default_cache(each) for each in different}) == 5
    assert default_cache(config(photos, prepare={"num_workers": 2, "on_error": "fail"})) == default_cache(
        config(photos)
    )


def test_a_cache_of_ones_own(photos: Path, tmp_path: Path) -> None:
    data = PhotosDataset(config(photos, cache=tmp_path / "mine"), IO)
    data.names()
    assert (tmp_path / "mine" / "id_0" / "01_1_front" / "sample.json").is_file()
    assert not (tmp_path / "cache").exists()


def test_nothing_became_a_sample(photos: Path) -> None:
    data = PhotosDataset(config(photos, prepare={"num_workers": 1, "views": ["back"]}), IO)
    with pytest.raises(DataError, match=r"no photo became a sample: .*other view: 3.*rejected\.csv"):
        data.names()


def test_photos_without_poses_name_what_finds_poses(photos: Path) -> None:
    for pose in list(photos.parent.rglob("*_keypoints.json")):
        pose.unlink()
    data = PhotosDataset(config(photos, prepare={"num_workers": 1}), IO)
    with pytest.raises(DataError, match=r"the first: .*no pose file .* finds poses itself, such as bodypix$"):
        data.names()


def test_settings_reach_the_samples(photos: Path) -> None:
    settings = {"num_workers": 1, "margin": 6}
    io = example_dataset_io((96, 64), (APPAREL,))
    wide = PhotosDataset(config(photos, prepare=settings), io).load("id_0/01_1_front")
    narrow = PhotosDataset(config(photos), io).load("id_0/01_1_front")
    assert wide[KEEP].sum() < narrow[KEEP].sum() and wide[MASK].sum() > narrow[MASK].sum()
    assert np.array_equal(wide[BODY], narrow[BODY])


def test_as_a_spec_has_it(photos: Path, tiny_spec: Callable[..., dict[str, Any]]) -> None:
    value = tiny_spec()
    value["data"]["dataset"] = {
        "type": "photos",
        "root": "photos",
        "segmenter": "deepfashion",
        "pose_encoder": {"type": "openpose", "folder": "poses"},
        "prepare": {"crop": {"aspect": 2}},
    }
    spec = parse_spec(value, folder=photos.parent)
    found = spec.data.dataset.config
    assert isinstance(found, PhotosConfig)
    assert found.root == photos
    assert getattr(found.pose_encoder.config, "folder", None) == photos.parent / "poses"
    # the filled spec says everything, and is read again as it is
    assert parse_spec(spec.to_json()) == spec


def test_needs_keypoints(photos: Path) -> None:
    check_dataset(PhotosDataset, config(photos), (48, 24), INPUTS, needs_keypoints=True)


def test_two_processes_share_a_cache_that_is_not_there_yet(photos: Path) -> None:
    """The runs of an ablation start side by side."""
    code = """
import json, logging, sys
from pathlib import Path
from skinfw.testing import example_dataset_io
from skinfw_plugins.datasets.config import PhotosConfig
from skinfw_plugins.datasets.photos import PhotosDataset
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
config = PhotosConfig.model_validate({"root": sys.argv[1], "prepare": {"num_workers": 1}})
data = PhotosDataset(config, example_dataset_io((24, 24), ("apparel_head_foot",)))
print("ready", flush=True)
sys.stdin.readline()
samples = [data.load(name)["body"].sum().item() for name in data.names()]
print(json.dumps([list(data.names()), data.fingerprint(), samples]))
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(photos)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed, told = zip(*(process.communicate(timeout=300) for process in processes), strict=True)
    assert [process.returncode for process in processes] == [0, 0], told
    assert printed[0] == printed[1]
    assert json.loads(printed[0])[0] == [f"id_{index}/01_1_front" for index in range(3)]
    # one made the samples, the other one found them
    assert sorted(re.findall(r"(\d+) made", "".join(told))) in (["3"], ["0", "3"])


def test_copies_of_a_photo_are_on_one_side(photos: Path) -> None:
    for copy in range(20):
        shutil.copytree(photos / "id_2", photos / f"copy_{copy}")
    data = PhotosDataset(config(photos), IO)
    names = data.names()
    copies = [name for name in names if name.startswith(("copy", "id_2"))]
    assert len(copies) == 21 and len({data.group(name) for name in copies}) == 1
    assert len({data.group(name) for name in names}) == 3
    # by their names alone they would be on two sides
    assert min(map(position, copies)) < 0.3 < max(map(position, copies))
    assert position(data.group(copies[0])) == max(map(position, copies))


@pytest.mark.parametrize("source", ["photos.zip", "photos.tar.gz", "photos.csv", "photos.jsonl"])
def test_other_sources(photos: Path, tmp_path: Path, source: str) -> None:
    expected = PhotosDataset(config(photos), IO)
    root = tmp_path / source
    names = [f"id_{index}/01_1_front" for index in range(3)]
    if source == "photos.csv":
        rows = [f"photos/{name}.png,{group}" for name, group in zip(names, "aab", strict=True)]
        root.write_text("\n".join(["photo,group", *rows]))
    elif source == "photos.jsonl":
        root.write_text("\n".join(json.dumps({"path": f"photos/{name}.png"}) for name in names))
    else:
        base, ending = source.split(".", 1)
        shutil.make_archive(str(tmp_path / base), {"zip": "zip", "tar.gz": "gztar"}[ending], photos)
    data = PhotosDataset(config(root), IO)
    prefix = "photos/" if source in ("photos.csv", "photos.jsonl") else ""
    assert list(data.names()) == [prefix + name for name in names]
    for name in names:
        assert np.array_equal(data.load(prefix + name)[BODY], expected.load(name)[BODY])
    if source == "photos.csv":
        assert [data.group(name) for name in data.names()] == ["a", "a", "b"]


def test_changes_of_an_archive_or_a_listed_photo_are_noticed(
    photos: Path, tmp_path: Path, write_photo: PhotoWriter
) -> None:
    (tmp_path / "list.txt").write_text("photos/id_0/01_1_front.png\n")
    shutil.make_archive(str(tmp_path / "all"), "zip", photos)
    for root, name in (("list.txt", "photos/id_0/01_1_front"), ("all.zip", "id_0/01_1_front")):
        before = PhotosDataset(config(tmp_path / root), IO).load(name)[BODY]
        write_photo(photos / "id_0" / "01_1_front.png", 7 if root == "list.txt" else 8)
        shutil.make_archive(str(tmp_path / "all"), "zip", photos)
        assert not np.array_equal(PhotosDataset(config(tmp_path / root), IO).load(name)[BODY], before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"segmenter": "bodypix", "missing_label_maps": "skin_color"},
            "missing_label_maps has no effect: the segmenter bodypix needs no files",
        ),
        (
            {"pose_encoder": "bodypix", "missing_poses": "bodypix"},
            "missing_poses has no effect: the pose encoder bodypix needs no files",
        ),
        (
            {"pose_encoder": None, "missing_poses": "bodypix"},
            "missing_poses has no effect: samples get no poses, as pose_encoder is null; leave out",
        ),
    ],
)
def test_nothing_can_be_missing_where_no_files_are_read(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        config(tmp_path, **settings)
