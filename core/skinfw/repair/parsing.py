"""Segmentations and poses of photos and results: computed, or from label maps that you name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.reference import read_reference, use_default
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError
from skinfw.inference.beside import pose_encoder_beside, segmenter_beside
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.preparation.finders import on_disk as has_files
from skinfw.preparation.person import posed
from skinfw.preparation.report import Rejected
from skinfw.repair.pairs import PairOfFiles
from skinfw.system.paths_below import on_disk, path_to_read


@dataclass(frozen=True)
class Labels:
    """Label maps that are read instead of computed.

    Attributes:
        reader: reads them.
        path: the file of one picture, or a folder with ``NAME.png`` for each picture ``NAME``.
    """

    reader: Segmenter[Any]
    path: Path

    def read(self, photo: Photo, names: Sequence[str] = ()) -> Segmentation:
        """Return the label map of a picture; see `file` for its names.

        Raises:
            DataError: it is missing, or cannot be read.
        """
        return self.reader.read(self.file(photo.path, names), photo)

    def file(self, picture: Path | None, names: Sequence[str] = ()) -> Path:
        """Return the file with the label map of a picture.

        Args:
            picture: the picture's file; None for a picture in memory.
            names: names that the label map may have in the folder, best first, see
                `skinfw.repair.pairs.PairOfFiles`; empty: the picture's name.

        Raises:
            DataError: it is missing.
        """
        if not self.path.is_dir():
            return self.path
        if picture is None:
            raise DataError(f"{self.path}: is a folder; give the label map's file")
        names = names or (picture.stem,)
        for name in names:
            paths = [path_to_read(self.path, f"{name}{suffix}") for suffix in IMAGE_SUFFIXES]
            found = [path for path in map(on_disk, paths) if path.is_file()]
            if len(found) > 1:
                raise DataError(f"{self.path}: several label maps named {name}; leave one")
            if found:
                return found[0]
        raise DataError(
            f"{self.path}: no label map named {' or '.join(names)}; name it as its picture, below the same "
            "folders"
        )


@dataclass(frozen=True)
class ParserReference:
    """What builds a `Parser`, picklable for other processes.

    Attributes:
        segmenter: segments the pictures without label maps, as in a spec; None: the default, which reads
            label maps beside them, and for others the model in the package.
        pose_encoder: finds the person's pose in the photo, as in a spec; None for no pose.
        person: the label map of the photo or a folder of them, or None.
        result: those of the results, or None.
        reader: the segmenter that reads these label maps, as in a spec; None: the segmenter.
        default_poses: whether poses are found without a pose encoder: those beside the photos, and for others
            by the encoder for photos without poses.
    """

    segmenter: Mapping[str, Any] | None = None
    pose_encoder: Mapping[str, Any] | None = None
    person: Path | None = None
    result: Path | None = None
    reader: Mapping[str, Any] | None = None
    default_poses: bool = False

    def build(self) -> Parser:
        """Build the parser."""
        if self.segmenter is None:
            segmenter = segmenter_beside(use_default("segmenter"))
        else:
            segmenter = build(read_reference("segmenter", dict(self.segmenter)), Segmenter)
        reader = segmenter
        if self.reader is not None:
            reader = build(read_reference("segmenter", dict(self.reader)), Segmenter)
        encoder = pose_encoder_beside() if self.default_poses else None
        if self.pose_encoder is not None:
            encoder = build(read_reference("pose_encoder", dict(self.pose_encoder)), PoseEncoder)
        person, result = (
            None if path is None else Labels(reader, path) for path in (self.person, self.result)
        )
        return Parser(segmenter, encoder, person, result)


@dataclass(frozen=True)
class Parser:
    """Finds what the pictures of a pair show.

    Attributes:
        segmenter: segments the pictures without label maps.
        pose_encoder: finds the person's pose in the photo; None for no pose.
        person: label maps of the photos, or None.
        result: label maps of the results, or None.
        pose_optional: whether photos without the file that the pose encoder reads have no pose; False: they
            cannot be parsed.
    """

    segmenter: Segmenter[Any]
    pose_encoder: PoseEncoder[Any] | None = None
    person: Labels | None = None
    result: Labels | None = None
    pose_optional: bool = False

    @property
    def computes(self) -> bool:
        """Whether a segmenter or a pose encoder may run a network, instead of reading label maps alone."""
        segments = self.segmenter.computes and (self.person is None or self.result is None)
        return segments or self.pose_encoder is not None

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files that belong to a photo: its label map and its pose."""
        of_pose = () if self.pose_encoder is None else self.pose_encoder.sources(photo)
        return (*self.segmenter.sources(photo), *of_pose)

    def files(self, pair: PairOfFiles) -> tuple[Path, ...]:
        """Return the files that the segmentations and the pose of a pair are read from.

        Raises:
            DataError: a label map is missing.
        """
        pose = () if self.pose_encoder is None else self.pose_encoder.sources(pair.person)
        maps: list[Path] = []
        for labels, picture, names in (
            (self.person, pair.person, pair.person_names),
            (self.result, pair.result, pair.result_names),
        ):
            maps += self.segmenter.sources(picture) if labels is None else [labels.file(picture, names)]
        return (*maps, *pose)

    def settings(self) -> dict[str, Any]:
        """Return what the segmentations and poses depend on besides the pictures, as JSON."""
        readers = [labels.reader for labels in (self.person, self.result) if labels is not None]
        encoders = [] if self.pose_encoder is None else [self.pose_encoder]
        return {
            "segmenters": [
                [each.config.model_dump(mode="json"), each.fingerprint()]
                for each in (self.segmenter, *readers)
            ],
            "given": [self.person is not None, self.result is not None],
            "pose_encoder": [[each.config.model_dump(mode="json"), each.fingerprint()] for each in encoders],
        }

    def of_person(self, photo: Photo, names: Sequence[str] = ()) -> tuple[Segmentation, Keypoints | None]:
        """Return the segmentation of a photo, and the pose in its pixels if there is a pose encoder.

        Args:
            photo: the photo.
            names: names that its label map may have, see `Labels.file`.

        Raises:
            DataError: one of them cannot be found.
        """
        found = self.segmenter.segment(photo) if self.person is None else self.person.read(photo, names)
        encoder = self.pose_encoder
        if encoder is None or (self.pose_optional and not has_files(encoder, photo.path)):
            return found, None
        return found, _pose(encoder, photo, found.person)

    def of_result(self, photo: Photo, names: Sequence[str] = ()) -> Segmentation:
        """Return the segmentation of a result; see `of_person`.

        Raises:
            DataError: it cannot be found.
        """
        return self.segmenter.segment(photo) if self.result is None else self.result.read(photo, names)


def _pose(encoder: PoseEncoder[Any], photo: Photo, person: Mask) -> Keypoints | None:
    with suppress(Rejected):  # nobody is found
        return posed(encoder, photo, person)[0]
    return None
