"""Every reader of files, with the files that it is fuzzed from and what must hold of what it returns."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import seeds
from mutations import Mutation

from skinfw.errors import UserError


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        seeds: makes valid files; a mutated one keeps its name.
        mutate: changes one.
        read: reads a file and checks what comes of it; anything but a `SkinfwError` is a crash.
    """

    seeds: Callable[[], seeds.Files]
    mutate: Mutation
    read: Callable[[Path], None]


def _check_array(array: Any, dtype: type, dimensions: int) -> None:
    assert array.dtype == dtype, array.dtype
    assert array.ndim == dimensions and min(array.shape) > 0, array.shape


def _photo(path: Path) -> None:
    from skinfw.data.image_file import MAX_PIXELS
    from skinfw.data.photo import Photo

    pixels = Photo.read(path).pixels
    _check_array(pixels, np.uint8, 3)
    assert pixels.shape[2] == 3 and pixels[..., 0].size <= MAX_PIXELS


def _mask(path: Path) -> None:
    from skinfw.data.mask_file import read_mask

    _check_array(read_mask(path), np.bool_, 2)


def _cutout(path: Path) -> None:
    from skinfw.data.cutout_file import read_cutout

    image, kept = read_cutout(path)
    _check_array(image, np.uint8, 3)
    _check_array(kept, np.bool_, 2)
    assert image.shape == (*kept.shape, 3)


def _label_map(path: Path) -> None:
    from skinfw.assembly.build import build
    from skinfw.components.reference import use
    from skinfw.data.photo import Photo
    from skinfw.interfaces import Segmenter

    photo = Photo(np.full((*seeds.SIZE, 3), 128, np.uint8), path.with_name("photo.png"))
    for name, settings in (("deepfashion", {}), ("label_map", {"labels": "lip"})):
        segmenter = build(
            use("segmenter", name, suffix=path.name.removeprefix("photo"), **settings), Segmenter
        )
        try:
            found = segmenter.segment(photo)
        except UserError:
            continue
        _check_array(found.labels, np.uint8, 2)
        assert found.labels.shape == seeds.SIZE and int(found.labels.max()) < len(found.classes)


def _parsing(path: Path) -> None:
    from skinfw.data.label_file import read_labels

    _check_array(read_labels(path), np.uint8, 2)


def _pose(path: Path) -> None:
    from skinfw.data.keypoints import read_openpose_json
    from skinfw.data.pose_file import MAX_CONFIDENCE
    from skinfw.data.skeleton import draw_resized_pose
    from skinfw_plugins.pose_encoders.openpose_json import read_poses

    found = []
    for read in (read_openpose_json, read_poses, lambda path: read_poses(path, size=seeds.SIZE)):
        try:
            found += read(path)
        except UserError:
            continue
    for pose in found:
        _check_array(pose.points, np.float32, 2)
        assert pose.points.shape == (25, 3) and np.isfinite(pose.points).all()
        confidences = pose.points[:, 2]
        assert np.all((confidences >= 0) & (confidences <= MAX_CONFIDENCE)), confidences
        draw_resized_pose(pose, seeds.SIZE)


def _points(path: Path) -> None:
    from skinfw.assembly.build import build
    from skinfw.components.reference import use
    from skinfw.data.photo import Photo
    from skinfw.interfaces import PoseEncoder

    encoder = build(use("pose_encoder", "deepfashion_points", locations=path), PoseEncoder)
    for pose in encoder.people(Photo(np.zeros((*seeds.SIZE, 3), np.uint8), path.with_name("a_front.jpg"))):
        assert np.isfinite(pose.points).all()


def _json(path: Path) -> None:
    from skinfw.system.json_file import read_json

    json.dumps(read_json(path), allow_nan=False, ensure_ascii=False).encode("utf-8")


def _spec(path: Path) -> None:
    from skinfw.specs.spec import load_spec, parse_spec

    spec = load_spec(path)
    filled = spec.to_json()
    assert parse_spec(json.loads(json.dumps(filled, allow_nan=False))).to_json() == filled


def _ablation(path: Path) -> None:
    from skinfw.ablation.plan import make_plan

    plan = make_plan(path)
    assert plan.runs
    for run in plan.runs:
        json.dumps(run.spec.to_json(), allow_nan=False)


def _report(path: Path) -> None:
    from skinfw.specs.report_dictionary import convert_report, read_report
    from skinfw.specs.spec import parse_spec
    from skinfw.system.json_file import read_text

    parse_spec(convert_report(read_report(read_text(path), path.name), source=path.name, name="report"))


def _photo_list(path: Path) -> None:
    from skinfw.preparation.photo_list import read_photo_list

    for photo in read_photo_list(path).photos:
        parts = photo.name.split("/")
        assert photo.name and not {"", ".", ".."} & set(parts), photo.name
        assert isinstance(photo.group, str) and photo.url.startswith(
            ("http://", "https://", "HTTP", "Http", "")
        )


def _archive(path: Path) -> None:
    from skinfw.preparation.available import made_available
    from skinfw.preparation.config import FetchConfig
    from skinfw.preparation.source import list_photos

    output = path.parent / "out"
    entries = list_photos(path, output, lambda _: ())
    try:
        # nothing may lie outside the output: the harness compares the folder afterwards
        with made_available(path, output, entries, FetchConfig()) as available:
            size = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
            assert size < 512 * 2**20, f"{size:,} bytes were unpacked"
            assert all(output in entry.path.parents for entry in available)
    finally:
        _empty(output)


def _empty(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _checkpoint(path: Path) -> None:
    from skinfw.runs.checkpoints import read_checkpoint

    found = read_checkpoint(path)
    assert found.progress.step >= 0 and isinstance(found.progress.data, str)
    json.dumps(found.spec.to_json(), allow_nan=False)


def _registry(path: Path) -> None:
    from skinfw.components.registry import KINDS, Registry

    registry = Registry()
    registry.add_manifest(path.read_bytes().decode("utf-8", "replace"), "fuzz 1")
    assert bool(registry.entries) != bool(registry.problems)
    assert all(kind in KINDS and entry.name == name for (kind, name), entry in registry.entries.items())
    for problem in registry.problems:
        raise UserError(str(problem))


def _excluded(path: Path) -> None:
    from skinfw.data.excluded import excluded

    names = excluded(path.parent)
    assert all(isinstance(name, str) for name in names)


def _log(path: Path) -> None:
    from skinfw.runs.folder import Run

    for record in Run(path.parent, spec=None).read_log():  # type: ignore[arg-type]
        assert isinstance(record, dict), record


def _shard_index(path: Path) -> None:
    from skinfw.data.shard_index import ShardIndex
    from skinfw.data.shard_lines import MAX_LINE
    from skinfw.system.address import AddressedFolder

    index = ShardIndex(AddressedFolder(str(path.parent)).lines(path.name, MAX_LINE), str(path))
    assert list(index.names) == sorted(set(index.names)) and len(index.hashes) == len(index.names)
    for name in index.names:
        place = index.place(name)
        assert 0 <= place.start <= place.stop <= place.shard.size and index.group(name) is not None
        assert all(
            first >= 0 and first + size <= place.stop - place.start for first, size in place.files.values()
        )


def _record(path: Path) -> None:
    from skinfw.data.sample_folder import read_record
    from skinfw.preparation.record import own_record

    assert isinstance(read_record(path.parent), dict)
    own_record(path.parent)


READERS = {
    "photo": Reader(seeds.photos, mutations.mutate_png, _photo),
    "mask": Reader(seeds.masks, mutations.mutate_png, _mask),
    "cutout": Reader(seeds.photos, mutations.mutate_png, _cutout),
    "label_map": Reader(seeds.label_maps, mutations.mutate_png, _label_map),
    "parsing": Reader(seeds.label_maps, mutations.mutate_png, _parsing),
    "pose": Reader(seeds.poses, mutations.mutate_json, _pose),
    "points": Reader(seeds.point_lists, mutations.mutate_lines, _points),
    "json": Reader(seeds.specs, mutations.mutate_json, _json),
    "spec": Reader(seeds.specs, mutations.mutate_json, _spec),
    "ablation": Reader(seeds.ablations, mutations.mutate_json, _ablation),
    "report": Reader(seeds.reports, mutations.mutate_lines, _report),
    "photo_list": Reader(seeds.photo_lists, mutations.mutate_lines, _photo_list),
    "archive": Reader(seeds.archives, mutations.mutate_tar, _archive),
    "checkpoint": Reader(seeds.checkpoints, mutations.mutate_safetensors, _checkpoint),
    "registry": Reader(seeds.registries, mutations.mutate_lines, _registry),
    "excluded": Reader(seeds.excluded, mutations.mutate_lines, _excluded),
    "log": Reader(seeds.logs, mutations.mutate_lines, _log),
    "shard_index": Reader(seeds.shard_indexes, mutations.mutate_lines, _shard_index),
    "record": Reader(seeds.records, mutations.mutate_json, _record),
}
