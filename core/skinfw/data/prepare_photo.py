"""Preparing one photo: from a file to a sample folder, or to the reason why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from skinfw.build import build
from skinfw.component_spec import ComponentSpec
from skinfw.data.crop import Box, crop_box, cropped, cut, person_box
from skinfw.data.filters import Facts, facts_of, view_of_name
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import take_apart
from skinfw.data.photo import Photo
from skinfw.data.prepare_config import PersonCrop, PrepareConfig
from skinfw.data.prepare_report import LeftOut, Reason, Row
from skinfw.data.sample_folder import read_record
from skinfw.data.sample_writer import (
    WRITTEN_FILES,
    remove_sample,
    sample_files,
    write_sample,
    writing_failed,
)
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, RunError
from skinfw.interfaces import PoseEncoder, Segmenter

REVISION = 1
"""Goes up when the same photo and settings give other sample folders, so that they are made anew."""

ResultT = TypeVar("ResultT")


class PhotoPreparer:
    """Prepares photos one at a time; every process builds its own.

    Args:
        root: folder of the photos.
        output: folder of the samples.
        segmenter: which segmenter.
        pose_encoder: which pose encoder.
        config: margin, crop and filters.

    Raises:
        RegistryError: a component cannot be built.
    """

    def __init__(
        self,
        root: Path,
        output: Path,
        segmenter: ComponentSpec,
        pose_encoder: ComponentSpec,
        config: PrepareConfig,
    ) -> None:
        self.root = root
        self.output = output
        self.config = config
        self.segmenter: Segmenter[Any] = build(segmenter, Segmenter)
        self.pose_encoder: PoseEncoder[Any] = build(pose_encoder, PoseEncoder)
        self.settings = {
            "revision": REVISION,
            "segmenter": segmenter.to_json(),
            "pose_encoder": pose_encoder.to_json(),
            **config.model_dump(mode="json", include={"margin", "crop"}),
        }

    def prepare(self, photo: str, sample: str) -> Row:
        """Make, keep or leave out one sample.

        Args:
            photo: the photo's path below the root.
            sample: the sample's name.

        Raises:
            DataError: the photo cannot be used, and the settings say that this stops everything.
            RunError: the sample cannot be written.
        """
        try:
            made = self._prepare(photo, sample)
        except LeftOut as left_out:
            self._remove_stale(photo, sample)
            return Row(photo, sample, "left out", left_out.reason, left_out.detail)
        return Row(photo, sample, "made" if made else "kept")

    def _prepare(self, name: str, sample: str) -> bool:
        """Return whether the sample was made anew; raise `LeftOut` where there is none to make."""
        path, folder = self.root / name, self.output / sample
        Facts(view=view_of_name(path)).check(self.config)
        content = self._step("photo cannot be read", lambda: _content(path, self._sources(path)))
        identity = {"source": name, "content": content, "settings": _hash_json(self.settings)}
        record = _own_record(folder)
        if record is not None and _finished(folder, record, identity):
            Facts(**record["facts"]).check(self.config)
            return False
        photo = self._step("photo cannot be read", lambda: Photo.read(path))
        segmentation = self._step("segmentation failed", lambda: self._segment(photo))
        keypoints = self._step("pose failed", lambda: self._keypoints(photo, segmentation))
        facts = facts_of(path, segmentation, keypoints)
        facts.check(self.config)
        about = {
            "name": sample,
            **identity,
            "facts": asdict(facts),
            "classes": segmentation.classes,
            "regions": {str(region): names for region, names in segmentation.regions.items()},
            "made_with": {"skinfw": version("skinfw"), **self.settings},
        }
        write_sample(folder, self._files(photo, segmentation, keypoints), about)
        return True

    def _keypoints(self, photo: Photo, segmentation: Segmentation) -> Keypoints:
        if not segmentation.person.any():
            raise LeftOut("nobody in the photo", "the label map is all background")
        keypoints = self.pose_encoder.keypoints(photo, segmentation.person)
        if keypoints is None:
            raise LeftOut("no pose found", "the pose encoder found nobody on the person's pixels")
        return keypoints

    def _files(self, photo: Photo, segmentation: Segmentation, keypoints: Keypoints) -> dict[str, bytes]:
        parts = take_apart(photo.pixels, segmentation, self.config.margin)
        person = person_box(segmentation.person)
        if isinstance(self.config.crop, PersonCrop) and person is not None:
            box = crop_box(person, self.config.crop)
            parts, segmentation = cropped(parts, box), _cropped_labels(segmentation, box)
            keypoints = keypoints.mapped(1.0, 1.0, -box.left, -box.top)
        line = self.pose_encoder.draw(keypoints, parts.kept.shape)
        return sample_files(replace(parts, line=line), segmentation.labels, keypoints)

    def _sources(self, photo: Path) -> tuple[Path, ...]:
        return (*self.segmenter.sources(photo), *self.pose_encoder.sources(photo))

    def _step(self, reason: Reason, action: Callable[[], ResultT]) -> ResultT:
        """Run one step; what it says about bad data leaves the photo out, or stops everything."""
        try:
            return action()
        except DataError as error:
            if self.config.on_error == "fail":
                raise
            raise LeftOut(reason, str(error)) from error

    def _segment(self, photo: Photo) -> Segmentation:
        segmentation = self.segmenter.segment(photo)
        if segmentation.labels.shape != photo.size:
            height, width = segmentation.labels.shape
            raise DataError(
                f"{photo.path}: the segmenter gave {height}x{width} labels for a photo of "
                f"{photo.size[0]}x{photo.size[1]} (height x width)"
            )
        if not segmentation.regions.get("skin") or not segmentation.regions.get("background"):
            raise RunError(
                f"{photo.path}: the segmenter cannot tell skin and background, which prepare removes; "
                "use one that does"
            )
        return segmentation

    def _remove_stale(self, photo: str, sample: str) -> None:
        """Remove the sample that an earlier run made of a photo that is now left out."""
        folder = self.output / sample
        record = _own_record(folder)
        if record is not None and record.get("source") == photo:
            try:
                remove_sample(folder)
            except OSError as error:
                raise writing_failed(folder, error) from error


def _own_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of a sample that prepare wrote; refuse a folder that somebody else filled."""
    try:
        record = read_record(folder)
    except DataError:
        return {}
    if record is None and any((folder / name).exists() for name in WRITTEN_FILES):
        raise RunError(
            f"{folder}: holds a sample that prepare did not write; choose another output folder, so that "
            "it is not overwritten"
        )
    return record


def _finished(folder: Path, record: dict[str, Any], identity: dict[str, str]) -> bool:
    """Return whether a sample was made of the same photo with the same settings, and is all there."""
    same = all(record.get(key) == value for key, value in identity.items())
    return same and all((folder / name).is_file() for name in WRITTEN_FILES)


def _content(photo: Path, sources: tuple[Path, ...]) -> str:
    """Return a hash of the bytes of the photo and of the files that belong to it."""
    digest = hashlib.sha256()
    for path in (photo, *sources):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        digest.update(f"{path.name}\0{hashlib.sha256(data).hexdigest()}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _hash_json(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _cropped_labels(segmentation: Segmentation, box: Box) -> Segmentation:
    background = segmentation.classes.index(segmentation.regions["background"][0])
    return replace(segmentation, labels=cut(segmentation.labels, box, background))
